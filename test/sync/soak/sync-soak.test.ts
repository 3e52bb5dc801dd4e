import { expect, test } from 'vitest';
import { runSyncSoak } from './run-sync-soak.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_130);

test(
  'three devices and a server in processes that are killed, with faults between them, end equal and lose no acknowledged write',
  { timeout: 240_000 },
  async () => {
    const { durable, kills, conflicts, faults, documents } = await runSyncSoak({
      seed: SEED,
      until: { edits: 120 },
      program: 'source',
      devices: 3,
      documentsPerKey: 8,
      maxDeviceEdits: 40,
      maxServerEdits: 100,
      faults: 2,
    });
    console.log(
      `seed ${SEED}: ${durable} acknowledged writes, none lost; ${conflicts} conflicts, ${documents} documents equal; kills: ${JSON.stringify(kills)}; faults: ${JSON.stringify(faults)}`,
    );
    expect(durable).toBeGreaterThan(100);
    expect(Object.values(kills).length).toBeGreaterThan(0);
  },
);
