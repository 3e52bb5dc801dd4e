import { isDeepStrictEqual } from 'node:util';
import type { HeldKillItem, KillEvent, KillItem } from './kill-item.ts';

/** A document or a version as the server gives it. */
export interface StoredKillItem extends KillItem {
  readonly _etag: string;
}

/** One item of the feed of all versions and deletes. */
export interface StoredVersion {
  readonly current: StoredKillItem | null;
  readonly previous?: StoredKillItem;
  readonly metadata: { readonly operationType: string; readonly lsn: number; readonly id?: string };
}

const plain = ({ id, pk, n, text }: KillItem): KillItem => ({ id, pk, n, text });

/**
 * What one partition key must hold after a server was killed: everything that was acknowledged, and of the write that was under way either all or
 * nothing. One client writes it, one write at a time.
 */
export class KilledPartition {
  readonly key: string;
  readonly #held = new Map<string, HeldKillItem>();
  /** Acknowledged changes that the feed of all versions has not been asked for yet. */
  #events: KillEvent[] = [];
  #underway: readonly KillEvent[] | undefined;
  #made = 0;
  /** Of writes whose answer was lost: how many had taken effect, and how many had not. */
  readonly outcomes: { kept: number; undone: number } = { kept: 0, undone: 0 };

  constructor(key: string) {
    this.key = key;
  }

  get ids(): string[] {
    return Array.from(this.#held.keys());
  }

  get size(): number {
    return this.#held.size;
  }

  get(id: string): HeldKillItem {
    return this.#held.get(id) as HeldKillItem;
  }

  nextId(): string {
    this.#made += 1;
    return `${this.key}-${this.#made}`;
  }

  /** Says what a write is about to do, before it is sent. */
  begin(events: readonly KillEvent[]): void {
    this.#underway = events;
  }

  /** The write under way was acknowledged; `etags` are those of its events, in their order. */
  acknowledge(etags: readonly (string | undefined)[]): void {
    const events = (this.#underway as readonly KillEvent[]).map((event, index) => ({ ...event, etag: etags[index] }));
    this.#underway = undefined;
    for (const event of events) {
      this.#events.push(event);
      if (event.item === undefined) {
        this.#held.delete(event.id);
      } else if (event.etag === undefined) {
        throw new Error(`The write of ${event.id} was acknowledged without an etag.`);
      } else {
        this.#held.set(event.id, { item: event.item, etag: event.etag });
      }
    }
  }

  /** The write under way was refused, as it had to be: it has done nothing. */
  refused(): void {
    this.#underway = undefined;
  }

  /**
   * Compares with what the server holds after its restart, and takes over what became of the write that was under way.
   *
   * @throws Error that says what is lost, there without reason, or half done
   */
  settle(stored: readonly StoredKillItem[], versions: readonly StoredVersion[]): void {
    const underway = this.#underway ?? [];
    this.#underway = undefined;
    const problem = this.#difference(stored, this.#held);
    if (problem === undefined) {
      this.outcomes.undone += underway.length > 0 ? 1 : 0;
      this.#checkVersions(versions, this.#events);
    } else {
      const found = new Map(stored.map((item) => [item.id, item]));
      // The server gave etags to these that nobody has heard of.
      const etags = new Map(versions.slice(-underway.length).map((version) => [version.current?.id, version.current?._etag]));
      const done = underway.map((event) => ({ ...event, etag: event.item === undefined ? undefined : etags.get(event.id) }));
      const held = new Map(this.#held);
      for (const { id, item, etag } of done) {
        if (item === undefined) {
          held.delete(id);
        } else {
          held.set(id, { item, etag: etag ?? (found.get(id)?._etag as string) });
        }
      }
      const otherProblem = underway.length === 0 ? problem : this.#difference(stored, held);
      if (otherProblem !== undefined) {
        throw new Error(
          `${this.key}: ${problem}; and with the write that was under way (${underway.map(({ type, id }) => `${type} ${id}`).join(', ')}): ${otherProblem}.`,
        );
      }
      this.outcomes.kept += 1;
      this.#checkVersions(versions, [...this.#events, ...done]);
      for (const [id] of this.#held) {
        if (!held.has(id)) {
          this.#held.delete(id);
        }
      }
      for (const [id, item] of held) {
        this.#held.set(id, item);
      }
    }
    this.#events = [];
  }

  #difference(stored: readonly StoredKillItem[], held: ReadonlyMap<string, HeldKillItem>): string | undefined {
    const found = new Map(stored.map((item) => [item.id, item]));
    if (found.size !== stored.length) {
      return 'a document is there twice';
    }
    for (const id of new Set([...found.keys(), ...held.keys()])) {
      const [is, should] = [found.get(id), held.get(id)];
      if (is === undefined || should === undefined) {
        return `${id} is ${is === undefined ? 'missing' : 'there'} and should be ${should === undefined ? 'missing' : 'there'}`;
      }
      if (!isDeepStrictEqual(plain(is), should.item) || is._etag !== should.etag) {
        return `${id} is ${JSON.stringify(is)} and should be ${JSON.stringify(should)}`;
      }
    }
    return undefined;
  }

  #checkVersions(versions: readonly StoredVersion[], events: readonly KillEvent[]): void {
    const told = versions.map(({ current, metadata }) => [metadata.operationType, current?.id ?? metadata.id, current?._etag]);
    const expected = events.map(({ type, id, etag }) => [type, id, etag]);
    if (!isDeepStrictEqual(told, expected)) {
      const at = told.findIndex((version, index) => !isDeepStrictEqual(version, expected[index]));
      const place = at === -1 ? told.length : at;
      throw new Error(
        `${this.key}: the feed of all versions gave ${told.length} changes for ${expected.length}; number ${place} is ${JSON.stringify(told[place])} and should be ${JSON.stringify(expected[place])}.`,
      );
    }
  }
}
