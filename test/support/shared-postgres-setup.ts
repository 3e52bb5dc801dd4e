import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/stores/postgres/embedded/start-embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run tells the address of its PostgreSQL. */
    sharedPostgres: string;
  }
}

/**
 * One PostgreSQL for a whole run of vitest, whose files run in processes of their own: they ask this process for its address, and the first to ask has it
 * started. A run that needs none starts none.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let postgres: Promise<EmbeddedPostgres> | undefined;
  const server = createServer((_request, response) => {
    postgres ??= startEmbeddedPostgres({ settings: { max_connections: '200' } });
    postgres.then(
      ({ connectionString }) => response.end(connectionString),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  project.provide('sharedPostgres', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await (await postgres?.catch(() => undefined))?.stop({ mode: 'immediate' });
  };
}
