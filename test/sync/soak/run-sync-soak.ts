import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { WELL_KNOWN_KEY, type ChaosReport } from '../../../src/server/index.ts';
import { Draw } from '../../server/hostile/draw.ts';
import { ServedProcess } from '../../server/process/served-process.ts';
import { findLostWrites, type SoakAccount } from './find-lost-writes.ts';
import { soakChaos } from './soak-chaos.ts';
import { SoakDevice } from './soak-device.ts';
import type { SoakDeviceOptions, SoakHolding, SoakRunSummary } from './soak-messages.ts';
import { placeOf, readSoakLog, type SoakDocument } from './soak-write.ts';

/** What {@link runSyncSoak} runs. */
export interface SyncSoakOptions {
  readonly seed: number;
  /** How long, or how often, devices edit while processes are killed; peace follows. */
  readonly until: { readonly seconds: number } | { readonly edits: number };
  readonly program: 'built' | 'source';
  readonly devices: number;
  readonly documentsPerKey: number;
  /** Lives of a device end after up to so many of its edits; in edits, a slow machine tries as much as a fast one. */
  readonly maxDeviceEdits: number;
  /** Lives of the server end after up to so many edits of all devices. */
  readonly maxServerEdits: number;
  /** How many times as many faults as over a long time; see `soakChaos`. */
  readonly faults: number;
  readonly onProgress?: (progress: string) => void;
}

/** What a soak found; nothing was lost, and all ended equal, where there is one. */
export interface SyncSoakResult extends Omit<SoakAccount, 'problems'> {
  /** How often a process was killed, by what it was doing. */
  readonly kills: Readonly<Record<string, number>>;
  /** Writes by how they ended; see `SoakOutcome`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly writes: Readonly<Record<string, number>>;
  /** Runs of the engines by outcome or error code, and what they did. */
  readonly runs: Readonly<Record<string, number>>;
  readonly pushed: number;
  readonly pulled: number;
  readonly conflicts: number;
  /** Entries of all journals by reason. */
  readonly journal: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** Faults that the server says it injected, by rule; what it injected in the last moment before a kill is missing. */
  readonly faults: Readonly<Record<string, number>>;
  /** Documents at the end, equal on the server and every device. */
  readonly documents: number;
}

const DATABASE = 'soak';
/** Share of the lives that end while the process still starts. */
const EARLY_SHARE = 0.15;
/** Share of the lives of a device that end while it closes. */
const CLOSING_SHARE = 0.2;
/** The death comes up to so long after the last edit that it waits for, so that it meets every place of the next ones and of a sync. */
const MAX_DELAY_MS = 300;
const MAX_SETTLING_ROUNDS = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  get all(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }

  get sum(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** A server that faults are injected into, and devices; all of them are killed and started again until their time is up. */
class SyncSoak {
  readonly #options: SyncSoakOptions;
  readonly #folder: string;
  readonly #kills = new Counts();
  readonly #runs = new Counts();
  readonly #faults = new Counts();
  readonly #names: readonly string[];
  #url = '';
  #edits = 0;
  #endMs = Number.POSITIVE_INFINITY;
  #isOver = false;
  #pushed = 0;
  #pulled = 0;
  #conflicts = 0;

  constructor(options: SyncSoakOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#names = Array.from({ length: options.devices }, (_, index) => `device-${index + 1}`);
  }

  async run(): Promise<SyncSoakResult> {
    await this.#prepare();
    const { until } = this.#options;
    if ('seconds' in until) {
      this.#endMs = Date.now() + until.seconds * 1000;
    }
    const lives = [...this.#names.map((name) => () => this.#liveDevices(name)), () => this.#liveServers()];
    const ends = await Promise.allSettled(
      lives.map((live) =>
        live().catch((error: unknown) => {
          this.#isOver = true;
          throw error;
        }),
      ),
    );
    for (const end of ends) {
      if (end.status === 'rejected') {
        throw end.reason;
      }
    }
    return this.#settle();
  }

  get #goesOn(): boolean {
    const { until } = this.#options;
    return !this.#isOver && ('seconds' in until ? Date.now() < this.#endMs : this.#edits < until.edits);
  }

  /** Waits for a condition, but not longer than the soak goes on. */
  async #until(condition: () => boolean): Promise<void> {
    while (this.#goesOn && !condition()) {
      await pause(5);
    }
  }

  #pause(ms: number): Promise<void> {
    const endMs = Date.now() + ms;
    return this.#until(() => Date.now() >= endMs);
  }

  #tellProgress(): void {
    this.#options.onProgress?.(
      `${this.#kills.sum} kills, ${this.#runs.sum} runs, ${this.#faults.sum} faults, ${this.#conflicts} conflicts`,
    );
  }

  #startServer(args: readonly string[]): ServedProcess {
    const { program } = this.#options;
    const port = this.#url === '' ? '0' : new URL(this.#url).port;
    return new ServedProcess({ store: `sqlite:${join(this.#folder, 'server.sqlite')}`, program, args: ['--port', port, ...args] });
  }

  async #prepare(): Promise<void> {
    const server = this.#startServer([]);
    this.#url = await server.url();
    const client = new CosmosClient({ endpoint: this.#url, key: WELL_KNOWN_KEY });
    const { database } = await client.databases.create({ id: DATABASE });
    await database.containers.create({ id: 'docs', partitionKey: { paths: ['/owner'] }, defaultTtl: -1 });
    client.dispose();
    await server.kill();
  }

  async #liveServers(): Promise<void> {
    const draw = new Draw(`server-${this.#options.seed}`);
    for (let life = 1; this.#goesOn; life += 1) {
      const rules = join(this.#folder, 'chaos.json');
      writeFileSync(rules, JSON.stringify(soakChaos(`${this.#options.seed}-${life}`, this.#options.faults)));
      const server = this.#startServer(['--chaos', rules]);
      if (draw.chance(EARLY_SHARE)) {
        await this.#pause(draw.below(500));
        await this.#killServer(server, 'server that starts');
      } else {
        await server.url();
        const report = await this.#watchServer(server, this.#edits + draw.below(this.#options.maxServerEdits));
        await this.#pause(draw.below(MAX_DELAY_MS));
        await this.#killServer(server, 'server');
        report?.rules.forEach(({ id, fired }) => this.#faults.add(id, fired));
      }
      this.#tellProgress();
      await this.#pause(draw.below(1500));
    }
  }

  /** Lets a server live until the devices have made so many edits, and gives its last report of faults. */
  async #watchServer(server: ServedProcess, edits: number): Promise<ChaosReport | undefined> {
    const headers = { authorization: `Bearer ${WELL_KNOWN_KEY}` };
    let report: ChaosReport | undefined;
    while (this.#goesOn && this.#edits < edits) {
      await this.#pause(200);
      if (!server.isAlive) {
        throw new Error(`The server ended by itself: ${server.stderr}`);
      }
      report = (await (await fetch(new URL('/_perigee/chaos', this.#url), { headers })).json()) as ChaosReport;
    }
    return report;
  }

  async #killServer(server: ServedProcess, kind: string): Promise<void> {
    await server.kill();
    if (server.stderr !== '') {
      throw new Error(`The server told its operator: ${server.stderr}`);
    }
    this.#kills.add(kind);
  }

  #optionsOf(device: string, mode: SoakDeviceOptions['mode']): SoakDeviceOptions {
    const { program, documentsPerKey, seed } = this.#options;
    const [file, log] = [join(this.#folder, `${device}.sqlite`), this.#logOf(device)];
    return { device, file, log, endpoint: this.#url, key: WELL_KNOWN_KEY, program, documentsPerKey, seed: String(seed), mode };
  }

  #logOf(device: string): string {
    return join(this.#folder, `${device}.log`);
  }

  async #liveDevices(name: string): Promise<void> {
    const draw = new Draw(`${name}-${this.#options.seed}`);
    let startMs = 1000;
    while (this.#goesOn) {
      const startedMs = Date.now();
      const device = new SoakDevice(this.#optionsOf(name, 'edit'), (run) => this.#count(run));
      if (draw.chance(EARLY_SHARE)) {
        await this.#pause(draw.below(startMs));
        await device.kill();
        this.#kills.add('device that starts');
      } else {
        await device.ready();
        startMs = Date.now() - startedMs;
        await this.#watchDevice(device, draw.below(this.#options.maxDeviceEdits));
        await this.#pause(draw.below(MAX_DELAY_MS));
        const closes = draw.chance(CLOSING_SHARE);
        await (closes ? device.killWhileClosing(draw.below(60)) : device.kill());
        this.#kills.add(closes ? 'device that closes' : 'device');
      }
      this.#tellProgress();
      await this.#pause(draw.chance(0.3) ? draw.below(3000) : draw.below(300));
    }
  }

  async #watchDevice(device: SoakDevice, edits: number): Promise<void> {
    let counted = 0;
    await this.#until(() => {
      device.assertAlive();
      this.#edits += device.edits - counted;
      counted = device.edits;
      return counted >= edits;
    });
  }

  #count({ outcome, code, pushed, pulled, deletedLocally, conflictCount }: SoakRunSummary): void {
    this.#runs.add(code ?? outcome);
    this.#pushed += pushed;
    this.#pulled += pulled + deletedLocally;
    this.#conflicts += conflictCount;
  }

  /** Peace: no faults, no kills, no edits. Synchronises until nothing moves any more, and looks. */
  async #settle(): Promise<SyncSoakResult> {
    const server = this.#startServer([]);
    const devices = this.#names.map((name) => new SoakDevice(this.#optionsOf(name, 'settle'), (run) => this.#count(run)));
    try {
      await server.url();
      await Promise.all(devices.map((device) => device.ready()));
      await this.#untilQuiet(devices);
      const holdings = await Promise.all(devices.map((device) => device.tell()));
      const result = this.#judge(await this.#documents(), holdings);
      await Promise.all(devices.map((device) => device.close()));
      const code = await server.stop();
      if (code !== 0 || server.stderr !== '') {
        throw new Error(`The server that was asked to stop ended with ${code}: ${server.stderr}`);
      }
      return result;
    } finally {
      await Promise.allSettled([server.kill(), ...devices.map((device) => device.end())]);
    }
  }

  async #untilQuiet(devices: readonly SoakDevice[]): Promise<void> {
    for (let round = 1; round <= MAX_SETTLING_ROUNDS; round += 1) {
      let moved = 0;
      for (const device of devices) {
        const run = await device.sync();
        if (run.outcome !== 'complete') {
          throw new Error(`A sync in peace ended ${run.outcome}: ${run.code}`);
        }
        moved += run.pushed + run.pulled + run.deletedLocally + run.conflictCount;
      }
      if (moved === 0) {
        return;
      }
    }
    throw new Error(`The devices still exchange documents after ${MAX_SETTLING_ROUNDS} rounds without an edit.`);
  }

  /** The living documents of the server, read past the engine. */
  async #documents(): Promise<readonly SoakDocument[]> {
    const client = new CosmosClient({ endpoint: this.#url, key: WELL_KNOWN_KEY });
    try {
      const { resources } = await client
        .database(DATABASE)
        .container('docs')
        .items.readAll<SoakDocument & { readonly _perigee?: { readonly deleted?: boolean } }>()
        .fetchAll();
      return resources
        .filter((document) => document._perigee?.deleted !== true)
        .map(({ id, owner, write, on, text }) => ({ id, owner, write, on, text }));
    } finally {
      client.dispose();
    }
  }

  #judge(documents: readonly SoakDocument[], holdings: readonly SoakHolding[]): SyncSoakResult {
    const logs = this.#names.map((name) => readSoakLog(this.#logOf(name), name));
    const letters = holdings.flatMap(({ deadLetters }) => deadLetters);
    const { problems, ...account } = findLostWrites({
      logs,
      documents,
      journal: holdings.flatMap(({ journal }) => journal),
      deadLetters: letters.flatMap(({ document }) => (document === null ? [] : [document])),
    });
    const all = [
      ...problems,
      ...letters.map(({ code, message }) => `There is a dead letter, which no fault explains: ${message} [${code}]`),
      ...holdings.flatMap((holding, index) => differences(this.#names[index] as string, holding, documents)),
    ];
    if (all.length > 0) {
      throw new Error(`${all.length} things are wrong:\n  ${all.slice(0, 20).join('\n  ')}`);
    }
    const [outcomes, writes, journal] = [new Counts(), new Counts(), new Counts()];
    for (const log of logs) {
      log.writes.forEach(({ kind }) => writes.add(kind));
      log.outcomes.forEach((outcome) => outcomes.add(outcome));
    }
    holdings.flatMap((holding) => holding.journal).forEach(({ reason }) => journal.add(reason));
    return {
      ...account,
      kills: this.#kills.all,
      outcomes: outcomes.all,
      writes: writes.all,
      runs: this.#runs.all,
      pushed: this.#pushed,
      pulled: this.#pulled,
      conflicts: this.#conflicts,
      journal: journal.all,
      deadLetters: letters.length,
      faults: this.#faults.all,
      documents: documents.length,
    };
  }
}

/** How a device differs from the server, by its own comparison and by ours. */
function differences(device: string, { documents, pending, verified }: SoakHolding, remote: readonly SoakDocument[]): string[] {
  const problems: string[] = [];
  if (pending !== 0) {
    problems.push(`On ${device} ${pending} documents are pending`);
  }
  if (!verified.equal) {
    problems.push(`On ${device} verify finds: ${JSON.stringify(verified.counts)}`);
  }
  const sides = [documents, remote].map((side) => new Map(side.map((document) => [placeOf(document), JSON.stringify(document)])));
  const [held, there] = sides as [Map<string, string>, Map<string, string>];
  for (const place of new Set([...held.keys(), ...there.keys()])) {
    if (held.get(place) !== there.get(place)) {
      problems.push(`${place} is ${held.get(place) ?? 'missing'} on ${device} and ${there.get(place) ?? 'missing'} on the server`);
    }
  }
  return problems;
}

/**
 * Devices with real engines on real files edit the same documents and synchronise through the official SDK with a server on SQLite that injects faults; devices
 * and server are killed with SIGKILL at random moments. Then peace: all are equal, nothing is pending, and every acknowledged write is accounted for
 * (see `findLostWrites`).
 *
 * @throws Error that says what is lost or differs, and where the files are
 */
export async function runSyncSoak(options: SyncSoakOptions): Promise<SyncSoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-soak-'));
  let result: SyncSoakResult;
  try {
    result = await new SyncSoak(options, folder).run();
  } catch (cause) {
    throw new Error(`Seed ${options.seed}, files in ${folder}: ${(cause as Error).message}`, { cause });
  }
  rmSync(folder, { recursive: true, force: true });
  return result;
}
