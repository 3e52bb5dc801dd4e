import { reachesBack } from '../../store/version-retention.ts';
import type { SnapshotBody } from '../../store/snapshot/backend-snapshots.ts';
import { rememberText } from '../../store/snapshot/prepared-texts.ts';
import type { SnapshotContainer, SnapshotVersion } from '../../store/snapshot/snapshot-record.ts';
import type { ResidentContainer, ResidentRow } from '../common/resident-container.ts';
import { bodyOf } from '../common/resident-writes.ts';
import type { RecordedChange } from '../common/version-log.ts';
import { rememberRow } from './snapshot-rows.ts';

/** What a container holds at one moment; its rows are shared with it and never change. */
export interface CapturedContainer {
  readonly record: SnapshotContainer;
  readonly container: ResidentContainer;
  readonly rows: readonly ResidentRow[];
  readonly changes: readonly RecordedChange[];
}

/** Takes note of what a container holds; `database` is `null` for the catalog. */
export function captureContainer(container: ResidentContainer, database: string | null, takenAtMs: number): CapturedContainer {
  const { rid, etag, ts, definition } = container.info;
  const log = container.versions?.log;
  const takenAt = Math.floor(takenAtMs / 1000);
  const { position, eras: etags } = container;
  return {
    record: { kind: 'container', database, rid, etag, ts, definition, position, etags, recorded: log?.floor ?? null },
    container,
    rows: Array.from(container.rows.inOrder()).filter((row) => !container.isExpired(row, takenAt)),
    changes: log?.toArray() ?? [],
  };
}

/** Whether it can be told what a container held at an earlier moment. */
export function canCaptureAsOf(container: ResidentContainer, asOfMs: number): boolean {
  const { definition } = container.info;
  return reachesBack({ definition, floor: container.versions?.log.floor, nowMs: container.nowMs() }, asOfMs);
}

/** What a container held at an earlier moment: its rows, less what was written since, and what those writes replaced and removed. */
export function captureAsOf(container: ResidentContainer, database: string, asOfMs: number): CapturedContainer {
  const { record, changes } = captureContainer(container, database, asOfMs);
  const first = changes.findIndex(({ atMs }) => atMs > asOfMs);
  const undone = first === -1 ? [] : changes.slice(first);
  const cut = (undone[0]?.position ?? Number.POSITIVE_INFINITY) - 1;
  const isOf = (row: ResidentRow | undefined): row is ResidentRow => row !== undefined && row.position <= cut;
  const rows = [...Array.from(container.rows.inOrder()).filter(isOf), ...undone.map(({ previous }) => previous).filter(isOf)];
  return {
    record,
    container,
    rows: rows.toSorted((left, right) => left.ordinal - right.ordinal),
    changes: first === -1 ? changes : changes.slice(0, first),
  };
}

function versionOf(container: ResidentContainer, row: ResidentRow): SnapshotVersion {
  return { position: row.position, ts: row.ts, expiresAt: container.expiryOf(row) ?? null, text: bodyOf(row) };
}

/** The records of a captured container. */
export function* recordsOf({ record, container, rows, changes }: CapturedContainer): Generator<SnapshotBody> {
  yield record;
  const paths = JSON.stringify(record.definition.partitionKey.paths);
  for (const row of rows) {
    const document = { kind: 'document', ordinal: row.ordinal, ...versionOf(container, row) } as const;
    const { id, partitionKey, partitionKeyText, ttl } = row;
    rememberText(document, paths, { id, partitionKey, partitionKeyText, text: document.text, ttl });
    rememberRow(document, { container: record, expiresAt: document.expiresAt, row });
    yield document;
  }
  for (const { position, atMs, row, previous, expired } of changes) {
    const { id, partitionKeyText, ordinal } = (row ?? previous) as ResidentRow;
    const change = row === undefined ? (expired ? 'expire' : 'delete') : previous === undefined ? 'create' : 'replace';
    const before = previous === undefined ? null : versionOf(container, previous);
    yield { kind: 'change', change, position, ordinal, atMs, id, partitionKey: partitionKeyText, before };
  }
}
