import { containerGone } from '../../store/container-gone.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { Stamp } from '../common/stored-container.ts';
import { replaceDefinition, restampExpiry } from './resource-programs.ts';
import type { ContainerRow } from './container-row.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import type { ProgramRunner } from './sqlite-database.ts';
import { beginRecording, endRecording } from './versions/version-recorder.ts';

/** Documents that are written before others have their turn. */
const TURN_ROWS = 1000;

/**
 * Writes another definition in place of a container's, and does to its documents what follows from it; run it in one transaction.
 *
 * What has expired by the definition before is recorded first, and stays expired. Recording begins and ends here.
 */
export async function redefineContainer(
  container: SqliteContainer,
  definition: ContainerDefinition,
  stamp: Stamp,
  runProgram: ProgramRunner,
): Promise<ContainerRow> {
  const { database, number } = container;
  await runProgram(container.refresh());
  while (await runProgram(container.expired.recordDue(TURN_ROWS, undefined))) {
    await database.runtime.yieldTask();
  }
  while (await runProgram(container.recorder.trimSome(database.runtime.nowMs()))) {
    await database.runtime.yieldTask();
  }
  const { defaultTtl, changeFeedPolicy } = container.info.definition;
  const row = await runProgram(replaceDefinition(container.info.rid, definition, stamp));
  if (row === undefined) {
    throw containerGone(definition.id);
  }
  const nowSeconds = container.nowSeconds();
  for (let behind: number | undefined = defaultTtl === definition.defaultTtl ? undefined : 0; behind !== undefined;) {
    behind = await runProgram(restampExpiry(number, definition.defaultTtl, nowSeconds, behind, TURN_ROWS));
    await database.runtime.yieldTask();
  }
  if (changeFeedPolicy === undefined && definition.changeFeedPolicy !== undefined) {
    // A position of its own, so that cursors of an earlier recording lie before it.
    await runProgram(beginRecording(number, { position: container.takePosition(), atMs: database.runtime.nowMs() }));
  } else if (changeFeedPolicy !== undefined && definition.changeFeedPolicy === undefined) {
    await runProgram(endRecording(number));
  }
  return row;
}
