import type { SnapshotSummary } from '../../store/snapshot/snapshot-record.ts';

function counted(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

/** How much there is, for people. */
export function summaryText({ databases, containers, documents, changes }: SnapshotSummary): string {
  const parts = [counted(databases, 'database'), counted(containers, 'container'), counted(documents, 'document')];
  return [...parts, ...(changes > 0 ? [counted(changes, 'recorded change')] : [])].join(', ');
}
