import { PerigeeError } from '../core/errors.ts';
import type { ContainerInfo } from '../store/backend.ts';
import { ContainerCopy } from './copy-container.ts';
import { CopyMarks } from './copy-checkpoint.ts';
import type { CopyOptions } from './copy-options.ts';
import type { ContainerReport, CopyReport } from './copy-report.ts';

/** The containers that are to be copied, in the order of creation. */
async function chosenContainers({ from, database, container }: CopyOptions): Promise<ContainerInfo[]> {
  if (container !== undefined && database === undefined) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot copy one container without its database: name both.');
  }
  const databases = database === undefined ? (await from.listDatabases()).map(({ id }) => id) : [database];
  const chosen: ContainerInfo[] = [];
  for (const id of databases) {
    if (container === undefined) {
      chosen.push(...(await from.listContainers(id)));
      continue;
    }
    const info = await from.readContainer(id, container);
    if (info === undefined) {
      throw new PerigeeError(
        'NOT_FOUND',
        `Cannot copy the container ${JSON.stringify(container)} of the database ${JSON.stringify(id)}: there is none in the source.`,
      );
    }
    chosen.push(info);
  }
  return chosen;
}

function checkOptions({ maxNamed = 1, pageItems = 1, timeToLive = 'restart' }: CopyOptions): void {
  if (!Number.isInteger(maxNamed) || maxNamed < 1 || !Number.isInteger(pageItems) || pageItems < 1) {
    throw new PerigeeError('INVALID_OPTION', 'maxNamed and pageItems are whole numbers from 1.');
  }
  if (!['restart', 'remaining'].includes(timeToLive)) {
    throw new PerigeeError('INVALID_OPTION', 'timeToLive is "restart" or "remaining".');
  }
}

/**
 * Copies containers with their definitions and documents from one backend to another, and compares both sides at the end.
 *
 * - Databases and containers that the target lacks are made. One that is there must have the same partition key and default time to live.
 * - Documents that were there when the copy began come in the order of creation; what changed meanwhile follows by the change feed until nothing is
 *   new. A document deleted in the source meanwhile stays in the target, and the comparison names it.
 * - What the target has and is equal stays. Over a version of the target that is newer (by `_ts`, the clock of each store) nothing is written unless
 *   `overwrite` says so, and no write takes place over a version that was not looked at. What only the target has is never touched.
 * - With a checkpoint, a copy that was stopped or killed goes on where it was: how far it is becomes known only once everything before is durable in
 *   the target, and counts only for the same two containers.
 * - A document that the target refuses is counted and named, and the others go on. Any other error ends the copy, which can be resumed.
 * - `_etag`, `_ts` and `_rid` are those of the target. What becomes of a time to live is {@link CopyOptions.timeToLive}. The catalog is not copied.
 *
 * @throws INVALID_OPTION, NOT_FOUND, BAD_REQUEST (a container of the target that does not fit), the signal's reason, and what the backends throw
 *
 * @example
 * ```ts
 * import { copyContainers } from 'perigee/copy';
 * import { openMemoryBackend } from 'perigee/memory';
 *
 * const [from, to] = [openMemoryBackend(), openMemoryBackend()];
 * await from.createDatabase('shop');
 * await from.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
 * const orders = await from.container('shop', 'orders');
 * await orders.create({ id: '17', customer: 'ada', total: 3 });
 *
 * const report = await copyContainers({ from, to });
 * console.log(report.equal, report.containers[0]?.created); // -> true 1
 * await Promise.all([from.close(), to.close()]);
 * ```
 */
export async function copyContainers(options: CopyOptions): Promise<CopyReport> {
  checkOptions(options);
  const marks = await CopyMarks.load(options.checkpoint);
  const containers: ContainerReport[] = [];
  for (const info of await chosenContainers(options)) {
    containers.push(await ContainerCopy.run(options, marks, info));
  }
  // Also where something differs: the next run is to look at everything again, with other options perhaps.
  await marks.clear();
  const equal = containers.every(({ comparison, failed }) => failed === 0 && comparison?.equal !== false);
  return { containers, equal };
}
