import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import { Draw } from '../hostile/draw.ts';
import { FeedFollower } from '../load/feed-follower.ts';
import type { ServedProcessOptions } from '../process/served-process.ts';
import { WRITE_ALL } from './kill-procedure.ts';
import { COUNTER, KillWriter, type WriterTally } from './kill-writer.ts';
import { KilledPartition, type StoredKillItem } from './killed-partition.ts';
import { createKillContainer, ServerLife } from './server-life.ts';
import { VersionReader } from './version-reader.ts';

/** What {@link runKills} runs. */
export interface KillOptions {
  readonly seed: number;
  readonly kills: number;
  readonly program: ServedProcessOptions['program'];
  readonly writers: number;
  /** A server is killed at a random moment after up to so many acknowledged writes; in lives of writes, a slow machine tries as much as a fast one. */
  readonly maxWrites: number;
  /** Share of the lives that end while the server still starts. */
  readonly earlyShare: number;
  readonly onProgress?: (progress: string) => void;
}

/** What kills found; nothing was lost where there is one. */
export interface KillResult {
  readonly kills: number;
  /** How many of them came while the server was still starting. */
  readonly earlyKills: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Writes whose answer was lost: which of them had taken effect, wholly, and which had not at all. */
  readonly lost: number;
  readonly kept: number;
  readonly undone: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly documents: number;
  /** Changes that the followed feed gave. */
  readonly changes: number;
}

const KEYS_PER_WRITER = 2;
const RETENTION_MINUTES = 60;
/** The death comes up to so long after the last write that it waits for, so that it meets every place of the next ones. */
const MAX_DELAY_MS = 30;

/** A run of lives of one server over one file. */
class KillRun {
  readonly #options: KillOptions;
  readonly #store: string;
  readonly #draw: Draw;
  readonly #tallies: WriterTally[];
  readonly #partitions: readonly (readonly KilledPartition[])[];
  readonly #versions = new VersionReader();
  #follower: FeedFollower | undefined;
  #added = 0;
  #startMs = 500;
  earlyKills = 0;

  constructor(options: KillOptions, store: string) {
    this.#options = options;
    this.#store = store;
    this.#draw = new Draw(`kill-${options.seed}`);
    const writers = Array.from({ length: options.writers }, (_, index) => index);
    this.#tallies = writers.map(() => ({
      acknowledged: 0,
      refused: 0,
      lost: 0,
      added: 0,
      perhapsAdded: 0,
      kinds: {},
      position: 0,
      session: undefined,
    }));
    this.#partitions = writers.map((writer) =>
      Array.from({ length: KEYS_PER_WRITER }, (_, key) => new KilledPartition(`w${writer}k${key}`)),
    );
  }

  get result(): Omit<KillResult, 'kills'> {
    const all = this.#partitions.flat();
    const kinds: Record<string, number> = {};
    for (const tally of this.#tallies) {
      for (const [kind, count] of Object.entries(tally.kinds)) {
        kinds[kind] = (kinds[kind] ?? 0) + count;
      }
    }
    const sum = (name: 'refused' | 'lost'): number => this.#tallies.reduce((total, tally) => total + tally[name], 0);
    return {
      earlyKills: this.earlyKills,
      acknowledged: this.#acknowledged,
      refused: sum('refused'),
      lost: sum('lost'),
      kept: all.reduce((total, { outcomes }) => total + outcomes.kept, 0),
      undone: all.reduce((total, { outcomes }) => total + outcomes.undone, 0),
      kinds,
      documents: all.reduce((total, { size }) => total + size, 0),
      changes: this.#follower?.changes ?? 0,
    };
  }

  #start(): ServerLife {
    return new ServerLife({ store: this.#store, program: this.#options.program });
  }

  /** Makes the container; what was acknowledged of that must survive as well. */
  async prepare(): Promise<void> {
    const life = this.#start();
    try {
      const container = await createKillContainer(await life.client(), RETENTION_MINUTES);
      await container.scripts.storedProcedures.create({ id: WRITE_ALL.id, body: WRITE_ALL.body });
      await container.items.create({ ...COUNTER, n: 0 });
      await this.#versions.drain(container);
      this.#follower = new FeedFollower(container, ChangeFeedStartFrom.Now());
      await this.#follower.drain();
    } finally {
      await life.kill();
    }
  }

  /** Starts the server, compares what it holds, lets the clients write, and kills it. */
  async live(): Promise<void> {
    const startedMs = performance.now();
    const life = this.#start();
    try {
      if (this.#draw.chance(this.#options.earlyShare)) {
        this.earlyKills += 1;
        await new Promise((resolve) => setTimeout(resolve, this.#draw.below(Math.ceil(this.#startMs))));
        return;
      }
      await life.process.url();
      this.#startMs = performance.now() - startedMs;
      await this.#check(life);
      const writers = await Promise.all(this.#tallies.map((tally, index) => this.#writer(life, index, tally)));
      const work = Promise.all([...writers.map((writer) => writer.run()), this.#follow(life)]);
      // What goes wrong before the server is killed ends the run at once.
      await Promise.race([this.#untilDeath(life), work]);
      await life.kill();
      await work;
    } finally {
      await life.kill();
      if (life.process.stderr !== '') {
        // oxlint-disable-next-line no-unsafe-finally -- what the server complains of explains what went wrong before
        throw new Error(`The server told its operator: ${life.process.stderr}`);
      }
    }
  }

  /** Starts the server once more in peace, and compares for the last time. */
  async finish(): Promise<void> {
    const life = this.#start();
    try {
      await this.#check(life);
      const code = await life.process.stop();
      if (code !== 0) {
        throw new Error(`The server that was asked to stop ended with ${code}.`);
      }
    } finally {
      await life.kill();
    }
  }

  get #acknowledged(): number {
    return this.#tallies.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  async #untilDeath(life: ServerLife): Promise<void> {
    const last = this.#acknowledged + this.#draw.below(this.#options.maxWrites);
    while (this.#acknowledged < last && !life.isOver) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, this.#draw.below(MAX_DELAY_MS)));
  }

  async #writer(life: ServerLife, index: number, tally: WriterTally): Promise<KillWriter> {
    const draw = new Draw(this.#draw.below(2 ** 31));
    return new KillWriter(life, await life.container(), this.#partitions[index] as readonly KilledPartition[], draw, tally);
  }

  /** Follows the feed while others write, so that its cursor stands somewhere between two writes when the server dies. */
  async #follow(life: ServerLife): Promise<void> {
    const follower = (this.#follower as FeedFollower).continuedBy(await life.container());
    this.#follower = follower;
    while (!life.isOver) {
      const answer = await life.send(() => follower.next());
      if (answer.kind === 'refused') {
        throw new Error('The change feed was refused.', { cause: answer.error });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #check(life: ServerLife): Promise<void> {
    const container = await life.container();
    const versions = await this.#versions.drain(container);
    for (const [index, partitions] of this.#partitions.entries()) {
      const session = this.#tallies[index]?.session;
      for (const partition of partitions) {
        const options = { partitionKey: partition.key, ...(session === undefined ? {} : { sessionToken: session }) };
        const { resources } = await container.items.query<StoredKillItem>('SELECT * FROM c', options).fetchAll();
        partition.settle(resources, versions.get(partition.key) ?? []);
      }
    }
    await this.#checkCounter(container);
    const follower = (this.#follower as FeedFollower).continuedBy(container);
    this.#follower = follower;
    await follower.drain();
    for (const partition of this.#partitions.flat()) {
      for (const id of partition.ids) {
        const [told, held] = [follower.etags.get(`${partition.key}|${id}`), partition.get(id).etag];
        if (told !== held) {
          throw new Error(`The change feed last gave the version ${told} of ${id}, and there is ${held}.`);
        }
      }
    }
  }

  async #checkCounter(container: Container): Promise<void> {
    const found = (await container.item(COUNTER.id, COUNTER.pk).read<{ readonly n: number }>()).resource?.n ?? Number.NaN;
    const least = this.#added + this.#tallies.reduce((sum, { added }) => sum + added, 0);
    const most = least + this.#tallies.reduce((sum, { perhapsAdded }) => sum + perhapsAdded, 0);
    if (!(found >= least && found <= most)) {
      throw new Error(`The counter is ${found} and should be from ${least} to ${most}.`);
    }
    this.#added = found;
    for (const tally of this.#tallies) {
      tally.added = 0;
      tally.perhapsAdded = 0;
    }
  }
}

/**
 * Kills a server over a SQLite file with SIGKILL again and again while clients of the official SDK write, and compares after each restart: every
 * acknowledged write is there with its etag, one whose answer was lost is there wholly or not at all, both change feeds tell exactly that, sessions
 * of before are served, and positions go on.
 *
 * @throws Error that says what is lost, half done, or there without reason
 */
export async function runKills(options: KillOptions): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-kill-'));
  const run = new KillRun(options, `sqlite:${join(folder, 'server.sqlite')}`);
  try {
    await run.prepare();
    for (let kill = 1; kill <= options.kills; kill += 1) {
      await run.live().catch((cause: unknown) => {
        throw new Error(`Life ${kill}: ${(cause as Error).message}`, { cause });
      });
      options.onProgress?.(`${kill} of ${options.kills} kills`);
    }
    await run.finish();
    return { kills: options.kills, ...run.result };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
