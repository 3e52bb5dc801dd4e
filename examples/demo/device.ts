/**
 * One device as a process of its own: a SQLite file, the sync engine, and nothing else. The parent tells it what its user does; `KILL_AT` makes
 * it kill itself with SIGKILL at a named moment of its next sync, as a phone whose battery falls out.
 */
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import type { Answer, Edit, Request } from './messages.ts';
import type { Movie } from './movies.ts';

const [name, file, endpoint, key, scope] = process.argv.slice(2) as [string, string, string, string, string];
const killAt = process.env['KILL_AT'];

const remote = await openCosmosBackend({ endpoint, key, connectTimeoutMs: 2000 });
const backend = await openSqliteBackend({ path: file });
const engine = await SyncEngine.open({
  backend,
  user: 'curator',
  device: name,
  scope: (JSON.parse(scope) as string[]).map((studio) => ({ container: 'films', partitionKey: studio })),
  remote: (container) => remote.container('cinema', container),
  containers: [{ id: 'films', partitionKey: '/studio', defaultTtl: -1 }],
  probe: (point) => {
    if (point === killAt) {
      process.kill(process.pid, 'SIGKILL');
    }
  },
});
const films = engine.store<Movie>('films');

async function apply(edit: Edit): Promise<void> {
  switch (edit.kind) {
    case 'put':
      await films.upsert(edit.movie);
      return;
    case 'change':
      await films.patch(edit.id, edit.studio, [
        { op: 'set', path: '/rating', value: edit.rating },
        { op: 'set', path: '/note', value: edit.note },
      ]);
      return;
    case 'remove':
      await films.delete(edit.id, edit.studio);
      return;
    default:
      edit satisfies never;
  }
}

async function answer(request: Request): Promise<Answer> {
  switch (request.ask) {
    case 'edit':
      for (const edit of request.edits) {
        await apply(edit);
      }
      return { answer: 'edited', pending: (await engine.status()).pending };
    case 'sync': {
      const report = request.reconcile ? await engine.reconcile() : await engine.sync();
      const { outcome, pushed, pulled, deletedLocally, requests, requestUnits, durationMs } = report;
      const conflicts = report.conflicts.map((conflict) => ({ id: conflict.id, outcome: conflict.outcome }));
      return {
        answer: 'synced',
        report: { outcome, pushed, pulled, deletedLocally, requests, requestUnits, durationMs, conflicts, error: report.error?.code },
      };
    }
    case 'dump':
      return { answer: 'dumped', movies: await films.query<Movie>('SELECT * FROM c').toArray() };
    case 'status': {
      const { pending, state } = await engine.status();
      return { answer: 'status', pending, state };
    }
    case 'close':
      await engine.close();
      await backend.close();
      await remote.close();
      return { answer: 'closed' };
    default:
      return request satisfies never;
  }
}

process.on('message', (request: Request) => {
  void answer(request).then(
    (result) => {
      process.send?.(result, () => {
        if (result.answer === 'closed') {
          process.disconnect();
        }
      });
    },
    (error: unknown) => {
      console.error(`${name}:`, error);
      process.exit(70);
    },
  );
});
process.send?.({ answer: 'ready', pending: (await engine.status()).pending } satisfies Answer);
