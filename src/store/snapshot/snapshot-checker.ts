import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { defineContainer, type ContainerDefinition, type ContainerInput } from '../container-definition.ts';
import { checkDocumentId, checkResourceName } from '../ids.ts';
import {
  normalizePartitionKey,
  parsePartitionKeyText,
  parsePropertyPath,
  partitionKeyText,
  type PartitionKey,
  type PartitionKeyText,
} from '../partition-key.ts';
import { parseContainerRid, parseDatabaseRid } from '../resource-id.ts';
import type { EtagEra } from '../version-etag.ts';
import { invalidSnapshot } from './invalid-snapshot.ts';
import { prepareText, type PreparedText } from './prepared-texts.ts';
import { SnapshotDigest } from './snapshot-digest.ts';
import {
  SNAPSHOT_VERSION,
  type SnapshotChange,
  type SnapshotContainer,
  type SnapshotDatabase,
  type SnapshotDocument,
  type SnapshotEnd,
  type SnapshotHeader,
  type SnapshotRecord,
  type SnapshotSummary,
  type SnapshotVersion,
} from './snapshot-record.ts';

/** A record that was found right, with what was worked out for that. */
export type CheckedRecord =
  | { readonly kind: 'header'; readonly record: SnapshotHeader }
  | { readonly kind: 'database'; readonly record: SnapshotDatabase; readonly number: number }
  | { readonly kind: 'container'; readonly record: SnapshotContainer; readonly definition: ContainerDefinition }
  | {
      readonly kind: 'document';
      readonly record: SnapshotDocument;
      readonly document: PreparedText;
      /** As much life is left as when the snapshot was taken. */
      readonly expiresAt: number | null;
    }
  | {
      readonly kind: 'change';
      readonly record: SnapshotChange;
      readonly partitionKey: PartitionKey;
      readonly before: PreparedText | undefined;
    };

interface OpenContainer {
  readonly record: SnapshotContainer;
  readonly paths: readonly (readonly string[])[];
  readonly pathsText: string;
  lastOrdinal: number;
  lastChange: number;
}

const MAX_DATABASE = 0xfffffffe;
const MAX_ERAS = 10_000;
const CHANGES: ReadonlySet<unknown> = new Set(['create', 'replace', 'delete', 'expire']);
const KINDS: ReadonlySet<unknown> = new Set(['database', 'container', 'document', 'change', 'end']);

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function need(condition: boolean, why: string): asserts condition {
  if (!condition) {
    throw invalidSnapshot('damaged', why);
  }
}

function isEra(value: unknown): value is EtagEra {
  return (
    isJsonObject(value) && isCount(value['upTo']) && typeof value['incarnation'] === 'string' && /^[\w-]{1,64}$/u.test(value['incarnation'])
  );
}

/** Checks the records of a snapshot one by one, so that nothing is restored of what is foreign, torn or damaged. */
export class SnapshotChecker {
  readonly #checkDefinition: (definition: ContainerDefinition) => void;
  readonly #nowSeconds: number;
  readonly #digest = new SnapshotDigest();
  readonly #ids = new Set<string>();
  readonly #counts = { databases: 0, containers: 0, documents: 0, changes: 0 };
  #header: SnapshotHeader | undefined;
  #shiftSeconds = 0;
  #database: SnapshotDatabase | undefined;
  #container: OpenContainer | undefined;
  #ended = false;

  /** @param checkDefinition checks what a backend makes of a definition */
  constructor(nowMs: number, checkDefinition: (definition: ContainerDefinition) => void) {
    this.#nowSeconds = Math.floor(nowMs / 1000);
    this.#checkDefinition = checkDefinition;
  }

  get counts(): SnapshotSummary {
    return { ...this.#counts };
  }

  /** Checks the next record; the last gives nothing. @throws INVALID_SNAPSHOT */
  accept(record: SnapshotRecord): CheckedRecord | undefined {
    if (this.#header === undefined) {
      return this.#acceptHeader(record);
    }
    need(isJsonObject(record) && KINDS.has(record.kind) && !this.#ended, 'a record that does not belong there');
    if (record.kind === 'end') {
      this.#acceptEnd(record);
      return undefined;
    }
    this.#digest.add(record);
    try {
      return this.#acceptBody(record as Exclude<SnapshotRecord, SnapshotHeader | SnapshotEnd>);
    } catch (error) {
      // Of a document only where it is, as what is wrong may tell of its content.
      throw isPerigeeError(error, 'INVALID_SNAPSHOT') ? error : invalidSnapshot('damaged', this.#place(record), error);
    }
  }

  /** Says that no more records come. @throws INVALID_SNAPSHOT where the last one is missing */
  finish(): SnapshotSummary {
    if (!this.#ended) {
      throw invalidSnapshot(this.#header === undefined ? 'foreign' : 'truncated');
    }
    return this.counts;
  }

  #place(record: SnapshotRecord): string {
    const container = this.#container?.record;
    const where = container === undefined ? '' : ` of the container ${JSON.stringify(container.definition.id)}`;
    return `the ${record.kind} record ${this.#counts.documents + this.#counts.changes + 1}${where}`;
  }

  #acceptHeader(record: SnapshotRecord): CheckedRecord {
    if (!isJsonObject(record) || record.kind !== 'perigee-snapshot' || !isCount(record.version) || record.version < 1) {
      throw invalidSnapshot('foreign');
    }
    if (record.version > SNAPSHOT_VERSION) {
      throw invalidSnapshot('newer', `version ${record.version}, this program reads ${SNAPSHOT_VERSION}`);
    }
    need(isCount(record.takenAtMs) && isCount(record.lastDatabase) && record.lastDatabase <= MAX_DATABASE, 'its first record');
    this.#header = record;
    this.#shiftSeconds = this.#nowSeconds - Math.floor(record.takenAtMs / 1000);
    this.#digest.add(record);
    return { kind: 'header', record };
  }

  #acceptEnd(record: SnapshotEnd): void {
    const { databases, containers, documents, changes } = this.#counts;
    const isComplete =
      record.databases === databases && record.containers === containers && record.documents === documents && record.changes === changes;
    need(isComplete && record.digest === this.#digest.toString(), 'its records are not those that were written');
    this.#ended = true;
  }

  #acceptBody(record: Exclude<SnapshotRecord, SnapshotHeader | SnapshotEnd>): CheckedRecord {
    switch (record.kind) {
      case 'database':
        return this.#acceptDatabase(record);
      case 'container':
        return this.#acceptContainer(record);
      case 'document':
        return this.#acceptDocument(record);
      case 'change':
        return this.#acceptChange(record);
      default:
        return record satisfies never;
    }
  }

  #acceptDatabase(record: SnapshotDatabase): CheckedRecord {
    checkResourceName(record.id);
    const number = parseDatabaseRid(record.rid) ?? 0;
    need(number > 0 && number <= (this.#header?.lastDatabase ?? 0), 'the resource id of a database');
    need(isCount(record.ts) && typeof record.etag === 'string' && isCount(record.lastContainer), 'a database');
    this.#claim(`database ${record.id}`, `rid ${record.rid}`);
    need(this.#container?.record.database !== null, 'a database behind the catalog');
    this.#database = record;
    this.#container = undefined;
    this.#counts.databases += 1;
    return { kind: 'database', record, number };
  }

  #acceptContainer(record: SnapshotContainer): CheckedRecord {
    const definition = defineContainer(record.definition as unknown as ContainerInput);
    this.#checkDefinition(definition);
    const { database, rid } = record;
    const place = parseContainerRid(rid);
    if (database === null) {
      need(this.#container?.record.database !== null, 'a second catalog');
    } else {
      const owner = this.#database;
      need(database === owner?.id && this.#container?.record.database !== null, 'the database of a container');
      need(place?.database === owner.rid && place.n <= owner.lastContainer, 'the resource id of a container');
      this.#claim(`container ${JSON.stringify([database, definition.id])}`, `rid ${rid}`);
    }
    const { etags, recorded, position } = record;
    need(isCount(record.ts) && typeof record.etag === 'string' && isCount(position), 'a container');
    need(Array.isArray(etags) && etags.length <= MAX_ERAS && etags.every(isEra), 'the etags of a container');
    need(
      etags.every(({ upTo }, index) => upTo > (etags[index - 1]?.upTo ?? 0)) && (etags.at(-1)?.upTo ?? 0) === position,
      'the etags of a container',
    );
    need(recorded === null || (isCount(recorded.position) && isCount(recorded.atMs) && recorded.position <= position), 'what is recorded');
    need(recorded === null || definition.changeFeedPolicy !== undefined, 'what is recorded');
    const { paths } = definition.partitionKey;
    this.#container = { record, paths: paths.map(parsePropertyPath), pathsText: JSON.stringify(paths), lastOrdinal: 0, lastChange: 0 };
    this.#counts.containers += 1;
    return { kind: 'container', record, definition };
  }

  #acceptDocument(record: SnapshotDocument): CheckedRecord {
    const container = this.#open();
    const { ordinal, expiresAt } = record;
    need(isCount(ordinal) && ordinal > container.lastOrdinal && container.lastChange === 0, 'the order of documents');
    container.lastOrdinal = ordinal;
    const document = this.#text(container, record, container.record.position);
    need(ordinal <= record.position, 'the place of a document');
    this.#counts.documents += 1;
    return { kind: 'document', record, document, expiresAt: expiresAt === null ? null : expiresAt + this.#shiftSeconds };
  }

  #acceptChange(record: SnapshotChange): CheckedRecord {
    const container = this.#open();
    const { change, position, ordinal, atMs, id, before } = record;
    need(CHANGES.has(change) && (before === null) === (change === 'create'), 'a change');
    need(isCount(position) && position > container.lastChange && position <= container.record.position, 'the order of changes');
    need(container.record.recorded !== null && position > container.record.recorded.position, 'a change that is not kept');
    need(isCount(atMs) && isCount(ordinal) && ordinal > 0 && ordinal <= position, 'a change');
    container.lastChange = position;
    const key = this.#key(container, record.partitionKey);
    const text = before === null ? undefined : this.#text(container, before, position - 1);
    need(text === undefined || (text.id === id && text.partitionKeyText === record.partitionKey), 'the key of a change');
    checkDocumentId(id);
    this.#counts.changes += 1;
    return { kind: 'change', record, partitionKey: key, before: text };
  }

  #open(): OpenContainer {
    need(this.#container !== undefined, 'documents without a container');
    return this.#container;
  }

  #text(container: OpenContainer, version: SnapshotVersion, newest: number): PreparedText {
    const { position, ts, expiresAt, text } = version;
    need(isCount(position) && position > 0 && position <= newest && isCount(ts) && typeof text === 'string', 'a version');
    need(expiresAt === null || isCount(expiresAt), 'the life of a version');
    return prepareText(version, container.pathsText, container.paths);
  }

  #key(container: OpenContainer, text: PartitionKeyText): PartitionKey {
    if (typeof text !== 'string') {
      throw new PerigeeError('BAD_REQUEST', 'A partition key is a text.');
    }
    const key = normalizePartitionKey(parsePartitionKeyText(text), container.paths.length);
    need(partitionKeyText(key) === text, 'the partition key of a change');
    return key;
  }

  #claim(...names: readonly string[]): void {
    for (const name of names) {
      need(!this.#ids.has(name), 'two of one name');
      this.#ids.add(name);
    }
  }
}
