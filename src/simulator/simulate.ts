import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openMemoryBackend } from '../stores/memory/memory-backend.ts';
import { betterSqlite3Driver, importBetterSqlite3 } from '../stores/sqlite/better-sqlite3-driver.ts';
import { openSqliteBackend } from '../stores/sqlite/sqlite-backend.ts';
import { SyncEngine } from '../sync/engine.ts';
import { loadLateParts } from '../sync/late-parts.ts';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import { makeScratchFolder } from './scratch-folder.ts';
import { holding, type DeviceKind } from './simulated-device.ts';
import type { SimulationOptions, SimulationReport } from './simulation-options.ts';
import { Simulation } from './simulation.ts';
import { World } from './world.ts';

/** Tells apart the files that devices of two kinds of world begin with. */
function nameOf({ container, hasLocal, hasVersions }: DeviceKind): string {
  return `${container.defaultTtl}${hasLocal ? '-local' : ''}${hasVersions ? '-versions' : ''}`;
}

/** Makes the file of a device as it is after the first opening: most of the time of a small simulation would go into it. */
async function makeTemplate(path: string, device: string, user: string, owners: readonly string[], kind: DeviceKind): Promise<void> {
  const runtime = new SimulatedRuntime({ seed: `template of ${device}` });
  const making = `${path}.new`;
  const backend = await openSqliteBackend({ path: making, runtime, autoIndex: 'off' });
  const nowhere = openMemoryBackend({ runtime });
  const engine = await SyncEngine.open({
    backend,
    user,
    device,
    runtime,
    ...holding(owners, kind, 1),
    remote: (container) => nowhere.container('app', container),
  });
  await engine.close();
  await backend.close();
  await nowhere.close();
  renameSync(making, path);
}

/**
 * Runs a whole system of devices, users, lines, clocks, disks and a remote under one seed, with the real engine on the real SQLite, and checks that
 * nothing is lost, that all end equal, and the rest of what sync promises. Time and chance come from the seed alone: the same options give the same
 * trace, line by line. Uses `better-sqlite3`.
 *
 * A violation is in the report, not thrown. A policy of your own is tried as it would be in production.
 *
 * @throws DRIVER_MISSING
 *
 * @example
 * ```ts
 * import { simulate } from 'perigee/simulator';
 *
 * const report = await simulate({ seed: 7 });
 * console.log(report.violations); // -> []
 * ```
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const folder = options.folder ?? makeScratchFolder();
  try {
    // Imported beforehand: how long an import takes is no matter of the seed.
    await loadLateParts();
    const world = await World.open(options, {
      driver: betterSqlite3Driver(await importBetterSqlite3()),
      folder,
      template: async (device, user, owners, kind) => {
        const path = join(folder, `template-${user}-${device}-${owners.length}-${nameOf(kind)}.db`);
        if (!existsSync(path)) {
          await makeTemplate(path, device, user, owners, kind);
        }
        return path;
      },
    });
    try {
      await new Simulation(world).run();
    } finally {
      await world.close();
    }
    const { violations, trace, editCount, requests, crashes } = world;
    return { seed: options.seed, violations, trace: trace.lines, edits: editCount, requests, crashes };
  } finally {
    if (options.folder === undefined) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
