import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient, type Container } from '@azure/cosmos';
import { onTestFinished } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { askShared } from '../support/ask-shared.ts';

const tsx = import.meta.resolve('tsx');

/** The command line as it is published: over its sources it would take most of a second to start. */
export const MAIN: string = await askShared('command-line');

/** How a process ended, and what it said. */
export interface Ended {
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program; sources are translated as they are loaded. */
  readonly main?: string;
  /** What standard input holds; it is empty unless said otherwise. */
  readonly input?: string;
  /** Standard input stays open, and nothing comes. */
  readonly keepInput?: boolean;
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One run of the command line; killed when the test is over, should it still run. */
export class CliProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], { cwd, env = {}, main = MAIN, input, keepInput = false }: CliOptions = {}) {
    const { PERIGEE_KEY: _key, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [...(main.endsWith('.ts') ? ['--import', tsx] : []), main, ...args], {
      cwd,
      env: { ...inherited, ...env },
      stdio: [input === undefined && !keepInput ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (!keepInput) {
      this.#child.stdin?.end(input);
    }
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => ({
      exit: (code as number | null) ?? (signal as string | null),
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.#ended;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first line of standard output. */
  async firstLine(): Promise<string> {
    while (!this.#stdout.includes('\n')) {
      const ended = await Promise.race([this.#ended, once(this.#child.stdout as NonNullable<ChildProcess['stdout']>, 'data')]);
      if ('exit' in ended && !this.#stdout.includes('\n')) {
        throw new Error(`The command ended with ${ended.exit}: ${ended.stderr}`);
      }
    }
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  stop(signal: NodeJS.Signals): Promise<Ended> {
    this.signal(signal);
    return this.#ended;
  }
}

/** Runs the command line to its end. */
export function runCli(args: readonly string[], options?: CliOptions): Promise<Ended> {
  return new CliProcess(args, options).ended();
}

/** A server started by `perigee serve --json` on a free port. */
export interface ServedCli {
  readonly cli: CliProcess;
  readonly url: string;
  readonly port: number;
  readonly store: string;
}

export async function serveCli(args: readonly string[], options?: CliOptions): Promise<ServedCli> {
  const cli = new CliProcess(['serve', '--port', '0', '--json', ...args], options);
  return { cli, ...(JSON.parse(await cli.firstLine()) as { url: string; port: number; store: string }) };
}

/** The official SDK's client of a server. */
export function sdkClient(endpoint: string, key: string = WELL_KNOWN_KEY): CosmosClient {
  const client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } });
  onTestFinished(() => client.dispose());
  return client;
}

/** The container of these tests, made where it is missing. */
export async function notesOf(client: CosmosClient): Promise<Container> {
  const { database } = await client.databases.createIfNotExists({ id: 'app' });
  const { container } = await database.containers.createIfNotExists({ id: 'notes', partitionKey: '/owner' });
  return container;
}

/** Ids of everything in a container. */
export async function idsOf(container: Container): Promise<string[]> {
  const { resources } = await container.items.query<string>('SELECT VALUE c.id FROM c').fetchAll();
  return resources.toSorted();
}
