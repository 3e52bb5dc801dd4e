import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { bundle } from '../../scripts/bundle.mjs';
import { startEmbeddedPostgres } from '../../src/stores/postgres/embedded/start-embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run tells what its files share; see {@link SharedThing}. */
    shared: string;
  }
}

/** What is made once for all files of a run: the address of a PostgreSQL, or the path of the command line as it is published, made of the sources as they are. */
export type SharedThing = 'postgres' | 'command-line';

/** Something that was made, and how it ends. */
interface Made {
  readonly name: string;
  readonly end: () => Promise<void>;
}

async function startPostgres(): Promise<Made> {
  const server = await startEmbeddedPostgres({ settings: { max_connections: '200' } });
  return { name: server.connectionString, end: () => server.stop({ mode: 'immediate' }) };
}

async function bundleCommandLine(): Promise<Made> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Below the packages, so that the bundle finds those that it needs.
  const caches = join(root, 'node_modules/.cache');
  await mkdir(caches, { recursive: true });
  const folder = await mkdtemp(join(caches, 'perigee-'));
  await copyFile(join(root, 'package.json'), join(folder, 'package.json'));
  await bundle(join(folder, 'dist'));
  return { name: join(folder, 'dist/cli/main.js'), end: () => rm(folder, { recursive: true, force: true }) };
}

const MAKERS: Readonly<Record<SharedThing, () => Promise<Made>>> = { postgres: startPostgres, 'command-line': bundleCommandLine };

/** Files of a run are in processes of their own: they ask this process, and the first to ask for a thing has it made. What none asks for is not made. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const made = new Map<SharedThing, Promise<Made>>();
  const server = createServer(({ url = '' }, response) => {
    const thing = url.slice(1) as SharedThing;
    const making = made.get(thing) ?? MAKERS[thing]();
    made.set(thing, making);
    making.then(
      ({ name }) => response.end(name),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  project.provide('shared', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    for (const one of await Promise.allSettled(made.values())) {
      if (one.status === 'fulfilled') {
        await one.value.end();
      }
    }
  };
}
