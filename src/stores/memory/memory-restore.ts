import type { ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import type { RestoreSink } from '../../store/snapshot/backend-snapshots.ts';
import { invalidSnapshot } from '../../store/snapshot/invalid-snapshot.ts';
import type { PreparedText } from '../../store/snapshot/prepared-texts.ts';
import type { CheckedRecord } from '../../store/snapshot/snapshot-checker.ts';
import type { SnapshotVersion } from '../../store/snapshot/snapshot-record.ts';
import { incarnationAt, versionEtag, type EtagEra } from '../../store/version-etag.ts';
import { expiresAtSeconds } from '../../store/write-rules.ts';
import type { ResidentContainer, ResidentRow } from '../common/resident-container.ts';
import { buildRow } from '../common/resident-writes.ts';
import type { RecordedChange } from '../common/version-log.ts';
import { knownRow, rememberRow } from './snapshot-rows.ts';

/** A database that is being restored. */
export interface RestoredDatabase {
  readonly info: DatabaseInfo;
  readonly lastContainer: number;
  readonly containers: Map<string, RestoredContainer>;
}

/** A container that is being restored. */
export interface RestoredContainer {
  readonly container: ResidentContainer;
  /** Fills it, once all its records were taken. */
  readonly fill: () => Promise<void>;
}

type Of<K extends CheckedRecord['kind']> = Extract<CheckedRecord, { readonly kind: K }>;

/** Builds containers out of records; nobody sees them before all are whole. */
export class MemoryRestore implements RestoreSink {
  readonly databases: Map<string, RestoredDatabase> = new Map();
  catalog: RestoredContainer | undefined;
  lastDatabase: number = 0;
  readonly #newContainer: (info: ContainerInfo, eras: readonly EtagEra[]) => ResidentContainer;
  #open: ContainerBuilder | undefined;

  constructor(newContainer: (info: ContainerInfo, eras: readonly EtagEra[]) => ResidentContainer) {
    this.#newContainer = newContainer;
  }

  write(checked: CheckedRecord): void {
    switch (checked.kind) {
      case 'header':
        this.lastDatabase = checked.record.lastDatabase;
        return;
      case 'database': {
        const { id, rid, etag, ts, lastContainer } = checked.record;
        this.databases.set(id, { info: { id, rid, etag, ts }, lastContainer, containers: new Map() });
        return;
      }
      case 'container':
        this.#writeContainer(checked);
        return;
      case 'document':
        this.#open?.addDocument(checked);
        return;
      case 'change':
        this.#open?.addChange(checked);
        return;
      default:
        checked satisfies never;
    }
  }

  /** Fills all containers. @throws INVALID_SNAPSHOT */
  async fill(): Promise<void> {
    const containers = [...this.databases.values()].flatMap((database) => [...database.containers.values()]);
    for (const container of this.catalog === undefined ? containers : [...containers, this.catalog]) {
      await container.fill();
    }
  }

  #writeContainer({ record, definition }: Of<'container'>): void {
    const { database, rid, etag, ts, etags } = record;
    const container = this.#newContainer({ databaseId: database ?? '', definition, rid, etag, ts }, etags);
    const builder = new ContainerBuilder(container, record);
    this.#open = builder;
    const restored = { container, fill: () => builder.fill() };
    if (database === null) {
      this.catalog = restored;
    } else {
      this.databases.get(database)?.containers.set(definition.id, restored);
    }
  }
}

/** Collects the rows and changes of one container. */
class ContainerBuilder {
  readonly #container: ResidentContainer;
  readonly #record: Of<'container'>['record'];
  readonly #rows: ResidentRow[] = [];
  readonly #epks = new Map<string, string>();
  readonly #changes: { readonly checked: Of<'change'>; readonly previous: ResidentRow | undefined }[] = [];

  constructor(container: ResidentContainer, record: Of<'container'>['record']) {
    this.#container = container;
    this.#record = record;
  }

  addDocument({ record, document, expiresAt }: Of<'document'>): void {
    this.#rows.push(this.#row(record, record.ordinal, document, expiresAt));
  }

  addChange(checked: Of<'change'>): void {
    const { record, before } = checked;
    const previous =
      record.before === null || before === undefined
        ? undefined
        : this.#row(record.before, record.ordinal, before, record.before.expiresAt);
    this.#changes.push({ checked, previous });
  }

  async fill(): Promise<void> {
    const { recorded, position } = this.#record;
    await this.#container.restore({
      rows: this.#rows,
      // At least as high as any that was given, so that no resource id comes twice.
      ordinal: position,
      position,
      recorded: recorded === null ? undefined : { floor: recorded, changes: this.#recordedChanges() },
    });
    if (this.#container.rows.size !== this.#rows.length) {
      throw invalidSnapshot('damaged', 'two documents of one key');
    }
  }

  /** What a change left is what the next one of the document found, or else the document itself. */
  #recordedChanges(): RecordedChange[] {
    const versions = new Map(this.#rows.map((row) => [row.position, row]));
    for (const { previous } of this.#changes) {
      if (previous !== undefined) {
        versions.set(previous.position, previous);
      }
    }
    return this.#changes.map(({ checked, previous }) => {
      const { position, atMs, change } = checked.record;
      const isWrite = change === 'create' || change === 'replace';
      const row = isWrite ? versions.get(position) : undefined;
      if (isWrite && row === undefined) {
        throw invalidSnapshot('damaged', 'a change without its document');
      }
      return { position, atMs, row, previous, expired: change === 'expire' };
    });
  }

  #row(version: SnapshotVersion, ordinal: number, document: PreparedText, expiresAt: number | null): ResidentRow {
    const known = knownRow(version, this.#record, expiresAt);
    if (known !== undefined) {
      return known;
    }
    const row = this.#newRow(version, ordinal, document, expiresAt);
    rememberRow(version, { container: this.#record, expiresAt, row });
    return row;
  }

  #newRow(version: SnapshotVersion, ordinal: number, document: PreparedText, expiresAt: number | null): ResidentRow {
    const { position, ts } = version;
    const etag = versionEtag(incarnationAt(this.#record.etags, position, this.#container.incarnation), position, ts);
    const usual = expiresAtSeconds(ts, document.ttl, this.#container.info.definition.defaultTtl) ?? null;
    const epk = this.#epks.get(document.partitionKeyText);
    const known = { ...(epk === undefined ? {} : { epk }), ...(expiresAt === usual ? {} : { expiresAt }) };
    const row = buildRow(this.#container, document, { ordinal, position, ts, etag }, known);
    this.#epks.set(document.partitionKeyText, row.epk);
    return row;
  }
}
