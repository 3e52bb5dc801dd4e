import { expect, test } from 'vitest';
import { runKills } from './run-kills.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_130);

test('a server that is killed while clients of the SDK write loses nothing that it acknowledged', { timeout: 240_000 }, async () => {
  const { kills, acknowledged, kept, undone, kinds, documents, changes } = await runKills({
    seed: SEED,
    kills: 4,
    program: 'source',
    writers: 4,
    maxWrites: 120,
    earlyShare: 0,
  });
  console.log(
    `seed ${SEED}: ${kills} kills, ${acknowledged} acknowledged writes, none lost; of those without an answer ${kept} done, ${undone} not`,
  );
  expect(acknowledged).toBeGreaterThan(50);
  expect(Object.keys(kinds)).toEqual(
    expect.arrayContaining(['batch', 'delete', 'patch', 'replace with an etag', 'stored procedure', 'upsert']),
  );
  expect(Math.min(documents, changes)).toBeGreaterThan(10);
});
