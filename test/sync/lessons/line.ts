import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { ContainerInput } from '../../../src/store/container-definition.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { all } from '../../../src/stores/sqlite/driver.ts';
import { faultyStore, type FaultPlan, type RequestName } from '../faulty-store.ts';
import { World, type Device, type DeviceOptions, type Note } from '../world.ts';

/** A world whose devices keep files and reach the remote over a line that tests can cut. */
export interface Line {
  readonly world: World;
  readonly folder: string;
  /** Decides about each request of each device. */
  plan: FaultPlan;
  readonly requests: RequestName[];
  /** A device on a file of its own, or on the one at `path`. */
  device(options?: DeviceOptions): Promise<Device>;
  /** Where the file of a device is. */
  pathOf(device: Device): string;
  /** Ends a device and starts another on its file, as after a restart of the application. */
  restarted(device: Device, options?: DeviceOptions): Promise<Device>;
  /** Copies the file of a device as it is at this moment, as a crash would leave it; gives the path. */
  copied(device: Device): string;
}

/** Gives each test of a file a line of its own. */
export function useLine(container?: ContainerInput): Line {
  let files = 0;
  const paths = new Map<string, string>();
  const line: { -readonly [Name in keyof Line]: Line[Name] } = {
    world: undefined as unknown as World,
    folder: '',
    plan: () => undefined,
    requests: [],
    async device(options = {}) {
      files += 1;
      const name = options.device ?? `device-${files}`;
      const path = options.path ?? join(line.folder, `${files}.db`);
      paths.set(name, path);
      const { wrap, ...rest } = options;
      return line.world.device({
        ...rest,
        device: name,
        path,
        wrap: (store) =>
          faultyStore(wrap === undefined ? store : wrap(store), (request) => {
            line.requests.push(request);
            return line.plan(request);
          }),
      });
    },
    pathOf: (device) => paths.get(device.name) as string,
    async restarted(device, options = {}) {
      await device.engine.close();
      await device.backend.close();
      return line.device({ ...options, device: device.name, path: line.pathOf(device) });
    },
    copied(device) {
      files += 1;
      const from = line.pathOf(device);
      const to = join(line.folder, `copy-${files}.db`);
      copyFileSync(from, to);
      if (existsSync(`${from}-wal`)) {
        copyFileSync(`${from}-wal`, `${to}-wal`);
      }
      return to;
    },
  };
  beforeEach(async () => {
    line.folder = mkdtempSync(join(tmpdir(), 'perigee-lessons-'));
    line.world = await World.open(container === undefined ? {} : { container });
    line.plan = () => undefined;
    line.requests.length = 0;
  });
  afterEach(async () => {
    await line.world.close();
    rmSync(line.folder, { recursive: true, force: true });
  });
  return line;
}

/** A note of Ada's. */
export function note(text: string, id = '1', more: object = {}): Note {
  return { id, owner: 'ada', text, ...more };
}

/** Notes `n0`, `n1` and so on. */
export function notes(count: number): Note[] {
  return Array.from({ length: count }, (_, index) => note(`x ${index}`, `n${index}`));
}

/** A container where no two documents of an owner have the same address; also none at all is one. */
export const UNIQUE: ContainerInput = { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] };

/** A note with an address, its id unless said otherwise. */
export function addressed(text: string, id: string = '1', email: string = id): Note {
  return note(text, id, { email });
}

/** {@link notes} with addresses. */
export function addressedNotes(count: number): Note[] {
  return notes(count).map((one) => ({ ...one, email: one.id }));
}

/** All rows of a table of the device's file. */
export function rowsOf(device: Device, sql: string): Promise<readonly Record<string, unknown>[]> {
  return device.backend.database.read(() => all<Record<string, unknown>>(sql));
}

/** Makes a container of the remote as a server that lost everything has it: the same name and nothing in it. */
export async function emptied(cloud: Backend, container: ContainerInput): Promise<void> {
  await cloud.deleteContainer('app', container.id);
  await cloud.createContainer('app', container);
}
