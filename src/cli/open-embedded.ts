import type { Runtime } from '../core/runtime.ts';
import { runningEmbeddedPostgres } from '../stores/postgres/embedded/running-embedded-postgres.ts';
import { startEmbeddedPostgres } from '../stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../stores/postgres/postgres-backend.ts';
import { consoleLogger } from './console-logger.ts';
import type { OpenedStore } from './open-store.ts';

/** How the store of an embedded server is opened. */
export interface OpenEmbeddedOptions {
  readonly runtime: Runtime | undefined;
  /** Another program, such as `perigee serve`, may have the server running; then it is used, and not stopped. */
  readonly mayJoin: boolean;
}

/** Opens the store of a PostgreSQL in a folder, which is started for it and stopped with it. @throws what starting and opening throw */
export async function openEmbedded(folder: string, { runtime, mayJoin }: OpenEmbeddedOptions): Promise<OpenedStore> {
  const label = `${folder} (embedded PostgreSQL)`;
  const running = mayJoin ? await runningEmbeddedPostgres(folder) : undefined;
  if (running !== undefined) {
    const backend = await openPostgresBackend({ connectionString: running, runtime, logger: consoleLogger });
    return { backend, label, close: () => backend.close() };
  }
  // Its process lives in real time, whatever the clock of the store says.
  const postgres = await startEmbeddedPostgres({ folder });
  try {
    const { connectionString } = postgres;
    const backend = await openPostgresBackend({ connectionString, runtime, logger: consoleLogger });
    return {
      backend,
      label,
      close: async () => {
        try {
          await backend.close();
        } finally {
          await postgres.stop();
        }
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
