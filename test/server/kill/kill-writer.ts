import type { Container, OperationInput } from '@azure/cosmos';
import type { Draw } from '../hostile/draw.ts';
import type { KillEvent, KillItem } from './kill-item.ts';
import { NOT_ACCEPTED, WRITE_ALL } from './kill-procedure.ts';
import type { KilledPartition } from './killed-partition.ts';
import type { ServerLife } from './server-life.ts';

/** Documents that a partition key has about. */
const ABOUT = 25;

/** The counter that all writers add to. */
export const COUNTER: { readonly id: string; readonly pk: string } = { id: 'counter', pk: 'shared' };

/** What a writer has done, over all lives of the server. */
export interface WriterTally {
  acknowledged: number;
  refused: number;
  lost: number;
  /** Acknowledged additions to the counter, and such whose answer was lost. */
  added: number;
  perhapsAdded: number;
  /** By kind of write. */
  readonly kinds: Record<string, number>;
  /** The largest position of an acknowledged write. */
  position: number;
  /** The session of the last acknowledged write. */
  session: string | undefined;
}

interface Answered {
  readonly headers: Record<string, unknown>;
}

const etagOf = (resource: unknown): string | undefined => (resource as { readonly _etag?: string } | undefined)?._etag;

/** A script has its time by the clock, which a busy machine can use up: it is ended, or what it asks for is not accepted, upon which it throws. */
function isOutOfTime(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  return code === 408 || (code === 400 && message.includes(NOT_ACCEPTED));
}

/** One client that writes without pause, one write at a time, until the server is killed. */
export class KillWriter {
  readonly #life: ServerLife;
  readonly #container: Container;
  readonly #partitions: readonly KilledPartition[];
  readonly #draw: Draw;
  readonly #tally: WriterTally;

  constructor(life: ServerLife, container: Container, partitions: readonly KilledPartition[], draw: Draw, tally: WriterTally) {
    this.#life = life;
    this.#container = container;
    this.#partitions = partitions;
    this.#draw = draw;
    this.#tally = tally;
  }

  /** Writes until the server is no more. @throws Error for a refusal that nobody asked for */
  async run(): Promise<void> {
    while (!this.#life.isOver) {
      const partition = this.#draw.pick(this.#partitions);
      const kinds = [
        () => this.#create(partition),
        () => this.#upsert(partition),
        () => this.#replace(partition),
        () => this.#patch(partition),
        () => this.#delete(partition),
        () => this.#batch(partition),
        () => this.#procedure(partition),
        () => this.#stale(partition),
        () => this.#failingBatch(partition),
        () => this.#failingProcedure(partition),
        () => this.#count(),
      ];
      await (partition.size < 4 ? this.#create(partition) : this.#draw.pick(kinds)());
    }
  }

  #item(partition: KilledPartition, id: string): KillItem {
    return { id, pk: partition.key, n: this.#draw.below(1_000_000), text: 'x'.repeat(this.#draw.below(600)) };
  }

  #change(partition: KilledPartition, type: KillEvent['type'], id: string): KillEvent {
    return { type, id, etag: undefined, item: type === 'delete' ? undefined : this.#item(partition, id) };
  }

  /** Different documents, some of each kind of change. */
  #changes(partition: KilledPartition): readonly KillEvent[] {
    const free = new Set(partition.ids);
    const take = (): string => {
      const id = this.#draw.pick(Array.from(free));
      free.delete(id);
      return id;
    };
    const changes: KillEvent[] = [];
    for (let count = 2 + this.#draw.below(6); count > 0; count -= 1) {
      const wanted = this.#draw.pick(['create', 'replace', partition.size > ABOUT ? 'delete' : 'create'] as const);
      const type = free.size === 0 ? 'create' : wanted;
      changes.push(this.#change(partition, type, type === 'create' ? partition.nextId() : take()));
    }
    return changes;
  }

  /** Sends a write, and keeps account of what became of it; `etags` finds those of the events in the answer. */
  async #write<T extends Answered>(
    kind: string,
    partition: KilledPartition,
    events: readonly KillEvent[],
    work: (signal: AbortSignal) => Promise<T>,
    etags: (answer: T) => readonly (string | undefined)[],
  ): Promise<void> {
    partition.begin(events);
    const answer = await this.#life.send(work);
    if (answer.kind === 'refused' && isOutOfTime(answer.error)) {
      partition.refused();
      this.#tally.refused += 1;
      return;
    }
    if (answer.kind === 'refused') {
      throw new Error(`The server refused: ${kind}, ${(answer.error as Error).message}.`, { cause: answer.error });
    }
    if (answer.kind === 'lost') {
      this.#tally.lost += 1;
      return;
    }
    partition.acknowledge(etags(answer.value));
    this.#acknowledged(kind, answer.value);
  }

  #acknowledged(kind: string, { headers }: Answered): void {
    this.#tally.acknowledged += 1;
    this.#tally.kinds[kind] = (this.#tally.kinds[kind] ?? 0) + 1;
    const session = String(headers['x-ms-session-token']);
    const position = Number(/^\d+:-1#(\d+)$/u.exec(session)?.[1]);
    // The positions of one client's writes on one container only grow, also over the death of a server.
    if (!(position > this.#tally.position)) {
      throw new Error(`The session of a write is ${session}, and that of an earlier one was at ${this.#tally.position}.`);
    }
    this.#tally.position = position;
    this.#tally.session = session;
  }

  /** Sends what has to be refused with a status. */
  async #refused(kind: string, partition: KilledPartition, status: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    partition.begin([]);
    const answer = await this.#life.send(work);
    partition.refused();
    if (answer.kind === 'lost') {
      return;
    }
    const code = answer.kind === 'refused' ? (answer.error as { readonly code?: unknown }).code : undefined;
    if (code !== status && !(answer.kind === 'refused' && isOutOfTime(answer.error))) {
      throw new Error(`${kind} was to be refused with ${status} and was ${answer.kind} with ${String(code)}.`);
    }
    this.#tally.refused += 1;
    this.#tally.kinds[kind] = (this.#tally.kinds[kind] ?? 0) + 1;
  }

  async #create(partition: KilledPartition): Promise<void> {
    const event = this.#change(partition, 'create', partition.nextId());
    await this.#write(
      'create',
      partition,
      [event],
      (abortSignal) => this.#container.items.create(event.item as KillItem, { abortSignal }),
      ({ resource }) => [etagOf(resource)],
    );
  }

  async #upsert(partition: KilledPartition): Promise<void> {
    const type = this.#draw.chance(0.3) ? 'create' : 'replace';
    const event = this.#change(partition, type, type === 'create' ? partition.nextId() : this.#draw.pick(partition.ids));
    await this.#write(
      'upsert',
      partition,
      [event],
      (abortSignal) => this.#container.items.upsert(event.item as KillItem, { abortSignal }),
      ({ resource }) => [etagOf(resource)],
    );
  }

  async #replace(partition: KilledPartition): Promise<void> {
    const id = this.#draw.pick(partition.ids);
    const event = this.#change(partition, 'replace', id);
    const accessCondition = { type: 'IfMatch', condition: partition.get(id).etag };
    await this.#write(
      'replace with an etag',
      partition,
      [event],
      (abortSignal) => this.#container.item(id, partition.key).replace(event.item as KillItem, { accessCondition, abortSignal }),
      ({ resource }) => [etagOf(resource)],
    );
  }

  async #patch(partition: KilledPartition): Promise<void> {
    const id = this.#draw.pick(partition.ids);
    const { item } = partition.get(id);
    const by = 1 + this.#draw.below(9);
    await this.#write(
      'patch',
      partition,
      [{ type: 'replace', id, etag: undefined, item: { ...item, n: item.n + by, text: 'patched' } }],
      (abortSignal) =>
        this.#container.item(id, partition.key).patch(
          [
            { op: 'incr', path: '/n', value: by },
            { op: 'set', path: '/text', value: 'patched' },
          ],
          { abortSignal },
        ),
      ({ resource }) => [etagOf(resource)],
    );
  }

  async #delete(partition: KilledPartition): Promise<void> {
    const id = this.#draw.pick(partition.ids);
    await this.#write(
      'delete',
      partition,
      [this.#change(partition, 'delete', id)],
      (abortSignal) => this.#container.item(id, partition.key).delete({ abortSignal }),
      () => [undefined],
    );
  }

  async #batch(partition: KilledPartition): Promise<void> {
    const events = this.#changes(partition);
    const operations = events.map(({ type, id, item }): OperationInput => {
      const resourceBody = { ...item } as KillItem & Record<string, string | number>;
      return type === 'create'
        ? { operationType: 'Create', resourceBody }
        : type === 'replace'
          ? { operationType: 'Replace', id, resourceBody, ifMatch: partition.get(id).etag }
          : { operationType: 'Delete', id };
    });
    await this.#write(
      'batch',
      partition,
      events,
      (abortSignal) => this.#container.items.batch(operations, partition.key, { abortSignal }),
      ({ code, result }) => {
        const outcomes = (result ?? []) as readonly { readonly statusCode: number; readonly eTag?: string }[];
        if (code !== 200 || outcomes.some(({ statusCode }) => statusCode >= 300)) {
          throw new Error(`A batch was answered ${code}: ${outcomes.map(({ statusCode }) => statusCode).join(', ')}.`);
        }
        return outcomes.map(({ eTag }, index) => (events[index]?.item === undefined ? undefined : eTag));
      },
    );
  }

  async #procedure(partition: KilledPartition): Promise<void> {
    const events = this.#changes(partition);
    await this.#write(
      'stored procedure',
      partition,
      events,
      (abortSignal) =>
        this.#container.scripts
          .storedProcedure(WRITE_ALL.id)
          .execute<readonly (string | null)[]>(partition.key, [events, false], { abortSignal }),
      ({ resource }) => (resource ?? []).map((etag) => etag ?? undefined),
    );
  }

  async #stale(partition: KilledPartition): Promise<void> {
    const id = this.#draw.pick(partition.ids);
    const accessCondition = { type: 'IfMatch', condition: '"00000000-0000-0000-0000-000000000000"' };
    await this.#refused('replace with a stale etag', partition, 412, (abortSignal) =>
      this.#container.item(id, partition.key).replace(this.#item(partition, id), { accessCondition, abortSignal }),
    );
  }

  async #failingBatch(partition: KilledPartition): Promise<void> {
    const item = this.#item(partition, `${partition.key}-never`);
    const operations: OperationInput[] = [
      { operationType: 'Create', resourceBody: { ...item } },
      { operationType: 'Delete', id: this.#draw.pick(partition.ids) },
      { operationType: 'Delete', id: 'no-such-document' },
    ];
    partition.begin([]);
    const answer = await this.#life.send((abortSignal) => this.#container.items.batch(operations, partition.key, { abortSignal }));
    partition.refused();
    if (answer.kind === 'refused' || (answer.kind === 'answered' && answer.value.code !== 207)) {
      throw new Error(`A batch that fails was answered ${JSON.stringify(answer).slice(0, 500)}.`);
    }
    if (answer.kind === 'answered') {
      this.#tally.refused += 1;
      this.#tally.kinds['batch that fails'] = (this.#tally.kinds['batch that fails'] ?? 0) + 1;
    }
  }

  async #failingProcedure(partition: KilledPartition): Promise<void> {
    const writes = this.#changes(partition);
    await this.#refused('stored procedure that throws', partition, 400, (abortSignal) =>
      this.#container.scripts.storedProcedure(WRITE_ALL.id).execute(partition.key, [writes, true], { abortSignal }),
    );
  }

  async #count(): Promise<void> {
    const by = 1 + this.#draw.below(5);
    const answer = await this.#life.send((abortSignal) =>
      this.#container.item(COUNTER.id, COUNTER.pk).patch([{ op: 'incr', path: '/n', value: by }], { abortSignal }),
    );
    if (answer.kind === 'refused') {
      throw new Error('The server refused to add to the counter.', { cause: answer.error });
    }
    if (answer.kind === 'lost') {
      this.#tally.lost += 1;
      this.#tally.perhapsAdded += by;
      return;
    }
    this.#tally.added += by;
    this.#acknowledged('addition to a shared document', answer.value);
  }
}
