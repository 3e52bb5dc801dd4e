import { compareRates, timed, type BenchResult } from '../harness.ts';
import { openPlainStore } from '../plain-store.ts';
import { Workspace } from '../raw-twin.ts';

const HELD = 20_000;

/** Queries over 20,000 documents against the statement that a person would write for the raw driver, with `JSON.parse` of its rows. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const held = await openPlainStore(workspace, HELD);
  const { store, raw } = held;
  const rawQuery = (where: string, ...values: readonly (string | number)[]): number =>
    (raw.database.prepare(`SELECT json(body) AS body FROM c1 WHERE ${where}`).all(...values) as { body: string }[]).map(
      ({ body }) => JSON.parse(body) as unknown,
    ).length;
  const sides = [
    {
      name: 'query within a partition key (indexed)',
      repeat: 50,
      perigee: () => store.query('SELECT * FROM c WHERE c.rank > 5000', { partitionKey: 'owner-7', maxItemCount: 1000 }).toArray(),
      raw: () => rawQuery("pk = ? AND json_extract(body, '$.rank') > ?", '["owner-7"]', 5000),
    },
    {
      name: 'query over the container (unindexed)',
      repeat: 2,
      perigee: () => store.query("SELECT * FROM c WHERE c.rank > 9000 AND c.type = 'task'", { maxItemCount: 10_000 }).toArray(),
      raw: () => rawQuery("json_extract(body, '$.rank') > ? AND json_extract(body, '$.type') = ?", 9000, 'task'),
    },
  ];
  for (const side of sides) {
    const expected = side.raw();
    yield await compareRates({
      name: side.name,
      unit: 'queries/s',
      rounds: 7,
      measured: () =>
        timed(side.repeat, async () => {
          for (let count = 0; count < side.repeat; count += 1) {
            const found = await side.perigee();
            if (found.length !== expected) {
              throw new Error(`The query gave ${found.length} documents instead of ${expected}.`);
            }
          }
        }),
      baseline: () =>
        timed(side.repeat, () => {
          for (let count = 0; count < side.repeat; count += 1) {
            side.raw();
          }
        }),
    });
  }
  await held.close();
  workspace.dispose();
}
