import { systemRuntime } from '../../core/runtime.ts';
import { partitionKeyJson, partitionKeyText } from '../../store/partition-key.ts';
import type { FileScope } from '../../sync/describe-file.ts';
import { runnerOf } from '../../sync/run/runner.ts';
import { jsonText } from '../query/json-text.ts';
import { safeText } from '../safe-text.ts';
import { openFile, requireSyncFile } from './open-file.ts';
import type { DeviceSettings } from './sync-settings.ts';

/** Tells what a file says of sync, without a connection and without changing it. */
export async function showStatus({ file, fileDatabase, json = false }: DeviceSettings): Promise<void> {
  const backend = await openFile(file, { mustExist: true, readOnly: true });
  try {
    const found = await requireSyncFile(backend, file);
    const { user, device, counts, merges } = found;
    const scopes = found.scopes.filter(({ database }) => fileDatabase === undefined || database === fileDatabase);
    const oldestPendingAgeMs = counts.oldest === null ? undefined : Math.max(0, systemRuntime.nowMs() - counts.oldest);
    const { pending, rejected, conflicts } = counts;
    const isRunning = (await runnerOf(backend.database)) === 'other';
    if (json) {
      const keyed = scopes.map((scope) => ({ ...scope, partitionKey: partitionKeyJson(scope.partitionKey) }));
      console.log(
        jsonText({ user, device, pending, oldestPendingAgeMs, deadLetters: rejected, conflicts, merges, isRunning, scopes: keyed }),
      );
      return;
    }
    const lines = [
      `user ${user ?? 'unknown'}, device ${device ?? 'unknown'}`,
      `${pending} pending${oldestPendingAgeMs === undefined ? '' : `, the oldest for ${durationText(oldestPendingAgeMs)}`}; ` +
        `${rejected} of them dead letters; ${conflicts} conflicts in the journal`,
      ...(isRunning ? ['a process is synchronising the file'] : []),
      ...scopes.map(scopeText),
    ];
    console.log(lines.map(safeText).join('\n'));
  } finally {
    await backend.close();
  }
}

function scopeText(scope: FileScope): string {
  const { container, partitionKey, cursor, firstLoad, lastReconcileMs, pending, deadLetters, types } = scope;
  const { done, loaded, total } = firstLoad;
  return [
    `${container} ${partitionKeyText(partitionKey)}${types === undefined ? '' : ' (some types)'}: ${
      done
        ? 'loaded'
        : loaded === 0 && cursor === undefined
          ? 'not loaded yet'
          : `first load at ${loaded}${total === undefined ? '' : ` of ${total}`}`
    }`,
    cursor === undefined ? 'no cursor' : 'follows a cursor',
    lastReconcileMs === undefined ? 'not reconciled' : `reconciled ${new Date(lastReconcileMs).toISOString()}`,
    `${pending} pending, ${deadLetters} dead letters`,
  ].join('; ');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A duration in its two largest units. */
function durationText(durationMs: number): string {
  let rest = durationMs;
  const parts: string[] = [];
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) {
      parts.push(`${count} ${name}`);
    }
  }
  return parts.length === 0 ? 'less than a second' : parts.slice(0, 2).join(' ');
}
