import { chmod, chown, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { serverUser } from '../../../src/stores/postgres/embedded/server-user.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';

/** A PostgreSQL and streaming replicas of it. */
export interface ReplicatedPostgres {
  readonly primary: EmbeddedPostgres;
  /** Starts one more. */
  readonly addReplica: () => Promise<EmbeddedPostgres>;
  /** Starts one again that was killed, at its address. */
  readonly restart: (replica: EmbeddedPostgres) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** Starts a primary whose copies are made as of any running PostgreSQL: its files while it says that it is backed up. */
export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const root = await mkdtemp(join(tmpdir(), 'perigee-replicas-'));
  await chmod(root, 0o755);
  const started: EmbeddedPostgres[] = [];
  const start = async (name: string): Promise<EmbeddedPostgres> => {
    const postgres = await startEmbeddedPostgres({ folder: join(root, name), durable: false });
    started.push(postgres);
    return postgres;
  };
  const primary = await start('primary');
  return {
    primary,
    addReplica: async () => {
      const name = `replica-${started.length}`;
      await copyCluster(primary, join(root, name));
      return start(name);
    },
    restart: async ({ folder, port }) => {
      started.push(await startEmbeddedPostgres({ folder, port, durable: false }));
    },
    dispose: async () => {
      for (const postgres of started.toReversed()) {
        await postgres.stop({ mode: 'immediate' });
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function copyCluster(primary: EmbeddedPostgres, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: primary.connectionString });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('replica', true)");
    const data = join(folder, 'cluster', 'data');
    await cp(join(primary.folder, 'cluster'), join(folder, 'cluster'), {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !/postmaster\.(?:pid|opts)$/u.test(path),
    });
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    const { hostname, port, username, password } = new URL(primary.connectionString);
    await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '');
    await writeFile(join(data, 'standby.signal'), '');
    await writeFile(
      join(data, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=${hostname} port=${port} user=${username} password=${password}'\nwal_retrieve_retry_interval = '100ms'\n`,
    );
    await giveTo(data);
  } finally {
    await client.end();
  }
}

/** A copy is root's, whom no server runs as. */
async function giveTo(folder: string): Promise<void> {
  const user = await serverUser();
  if (user !== undefined) {
    for (const entry of await readdir(folder, { recursive: true })) {
      await chown(join(folder, entry), user.uid, user.gid);
    }
    await chown(folder, user.uid, user.gid);
    await chown(join(folder, '..'), user.uid, user.gid);
  }
}
