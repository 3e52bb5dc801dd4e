import { partitionKeyJson, partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { SyncProgress } from '../../sync/sync-events.ts';
import type { SyncReport } from '../../sync/sync-report.ts';
import type { DifferenceKind, VerifyReport } from '../../sync/verify/verify-report.ts';

/** A document by its names. */
export interface DocumentName {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
}

/** A document's names for people. */
export function keyText({ container, partitionKey, id }: DocumentName): string {
  return `${JSON.stringify(id)} in ${container} ${partitionKeyText(partitionKey)}`;
}

/** One line about how far a run is. */
export function progressText({ container, phase, done, total }: SyncProgress): string {
  return `${phase} ${container}: ${done}${total === undefined ? '' : ` of ${total}`}`;
}

function costText({ requests, requestUnits }: { readonly requests: number; readonly requestUnits: number }): string {
  return `${requests} requests, ${requestUnits.toFixed(2)} request units`;
}

/** What a run did, as lines. */
export function reportLines(report: SyncReport): readonly string[] {
  const { outcome, pushed, pulled, deletedLocally, conflictCount, rejectedCount, bytesSent, bytesReceived, waitedMs } = report;
  return [
    `${outcome}: ${pushed} sent, ${pulled} received, ${deletedLocally} deleted on the device, ${conflictCount} conflicts, ${rejectedCount} refused; ` +
      `${costText(report)}, ${bytesSent} bytes sent, ${bytesReceived} bytes received${waitedMs > 0 ? `, waited ${Math.ceil(waitedMs / 1000)} s for the budget` : ''}`,
    ...report.rejected.map((one) => `  refused: ${keyText(one)} [${one.code}]`),
    ...more(report.rejectedCount - report.rejected.length),
  ];
}

/** Names whose partition keys JSON keeps: a missing component is `{}`, as on the wire. */
function keyed(names: readonly DocumentName[]): readonly object[] {
  return names.map((one) => ({ ...one, partitionKey: partitionKeyJson(one.partitionKey) }));
}

/** What a comparison found, as JSON keeps it. */
export function verifyObject(report: VerifyReport): object {
  return { ...report, differences: keyed(report.differences) };
}

/** What a run did, as JSON keeps it. */
export function reportObject(report: SyncReport): object {
  const { error, conflicts, rejected } = report;
  return {
    ...report,
    conflicts: keyed(conflicts),
    rejected: keyed(rejected),
    error: error === undefined ? undefined : { code: error.code, message: error.message },
  };
}

const KIND_WORDS: Readonly<Record<DifferenceKind, string>> = {
  'missing-on-device': 'missing on the device',
  'missing-at-remote': 'missing at the remote',
  different: 'different',
  pending: 'waiting to be sent',
  'dead-letter': 'refused by the remote',
};

/** What a comparison found, as lines. */
export function verifyLines(report: VerifyReport): readonly string[] {
  const { equal, complete, defects, counts, differences, documentsAtRemote } = report;
  const kinds = (Object.keys(KIND_WORDS) as DifferenceKind[]).filter((kind) => counts[kind] > 0);
  const total = kinds.reduce((sum, kind) => sum + counts[kind], 0);
  const found = kinds.map((kind) => `${counts[kind]} ${KIND_WORDS[kind]}`).join(', ');
  const verdict = equal
    ? `equal: ${documentsAtRemote} documents on both sides`
    : defects > 0
      ? `DIFFERENT: ${found}`
      : complete
        ? `no defect: ${found}`
        : 'not compared to the end';
  return [
    `${verdict}${complete || defects === 0 ? '' : '; not compared to the end'}; ${costText(report)}`,
    ...differences.map((one) => `  ${KIND_WORDS[one.kind]}: ${keyText(one)}`),
    ...more(total - differences.length),
  ];
}

function more(count: number): readonly string[] {
  return count > 0 ? [`  and ${count} more`] : [];
}
