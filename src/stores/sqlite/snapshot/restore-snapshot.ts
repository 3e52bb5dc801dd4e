import { isOddText } from '../../../query/compile/sqlite/odd-documents.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { defineContainer, type ContainerDefinition } from '../../../store/container-definition.ts';
import { effectivePartitionKey } from '../../../store/effective-partition-key.ts';
import { parsePropertyPath, type PartitionKey, type PartitionKeyText } from '../../../store/partition-key.ts';
import { databaseRid } from '../../../store/resource-id.ts';
import type { RestoreSink } from '../../../store/snapshot/backend-snapshots.ts';
import { notEmpty } from '../../../store/snapshot/backend-snapshots.ts';
import { invalidSnapshot } from '../../../store/snapshot/invalid-snapshot.ts';
import type { CheckedRecord } from '../../../store/snapshot/snapshot-checker.ts';
import type { JsonObject } from '../../../core/json.ts';
import { isPerigeeError } from '../../../core/errors.ts';
import { containerStatements, tableNames } from '../container-statements.ts';
import { all, get, run, type Program } from '../driver.ts';
import { reconcileIndexes } from '../indexes/index-catalog.ts';
import { CATALOG_DATABASE, CATALOG_RID, type ContainerStamp } from '../../common/stored-container.ts';
import { containersOf, dropContainer, insertContainer } from '../resource-programs.ts';
import type { ProgramRunner } from '../sqlite-database.ts';
import { uniqueValues } from '../../common/unique-values.ts';
import { beginRecording } from '../versions/version-recorder.ts';
import { CHANGE_KINDS } from '../../common/change-kinds.ts';
import { joinAfter } from '../versions/version-statements.ts';

/** Characters of documents that are written before others have their turn. */
const TURN_CHARACTERS = 500_000;
const TURN_RECORDS = 500;
/** Effective partition keys remembered. */
const MAX_EPKS = 10_000;

type Of<K extends CheckedRecord['kind']> = Extract<CheckedRecord, { readonly kind: K }>;
type Row = Of<'document'> | Of<'change'>;

interface OpenContainer {
  readonly number: number;
  readonly record: Of<'container'>['record'];
  readonly definition: ContainerDefinition;
  readonly uniquePaths: readonly (readonly (readonly string[])[])[];
  readonly epks: Map<PartitionKeyText, string>;
}

/** What was in the file before, as far as it has to be known afterwards. */
interface Before {
  readonly positions: ReadonlyMap<string, number>;
  readonly lastContainers: ReadonlyMap<string, number>;
}

/** Removes everything from the file, and tells which numbers were given. @throws CONFLICT unless `replace`, where there is something; SYNC_SCOPE */
function* clear(replace: boolean): Program<Before> {
  const databases = yield* all<{ number: number; containers: number }>('SELECT number, containers FROM databases');
  const positions = new Map<string, number>();
  for (const database of [...databases.map(({ number }) => number), CATALOG_DATABASE]) {
    for (const row of yield* containersOf(database)) {
      const { head } = (yield* get<{ head: number }>(containerStatements(row.number).head)) as { head: number };
      positions.set(row.rid, head);
      if (!replace && (databases.length > 0 || head > 0)) {
        throw notEmpty();
      }
      yield* dropContainer(row);
    }
  }
  if (!replace && databases.length > 0) {
    throw notEmpty();
  }
  yield* run('DELETE FROM databases');
  return { positions, lastContainers: new Map(databases.map(({ number, containers }) => [databaseRid(number), containers])) };
}

/** Writes the records of a snapshot into a file, within one transaction. */
export class SqliteRestore implements RestoreSink {
  readonly #runProgram: ProgramRunner;
  readonly #runtime: Runtime;
  readonly #stamp: () => ContainerStamp;
  readonly #before: Before;
  readonly #databases = new Map<string, number>();
  #container: OpenContainer | undefined;
  #rows: Row[] = [];
  #characters = 0;

  private constructor(runProgram: ProgramRunner, runtime: Runtime, stamp: () => ContainerStamp, before: Before) {
    this.#runProgram = runProgram;
    this.#runtime = runtime;
    this.#stamp = stamp;
    this.#before = before;
  }

  /** Makes room for a snapshot. @throws CONFLICT, SYNC_SCOPE */
  static async begin(runProgram: ProgramRunner, runtime: Runtime, stamp: () => ContainerStamp, replace: boolean): Promise<SqliteRestore> {
    return new SqliteRestore(runProgram, runtime, stamp, await runProgram(clear(replace)));
  }

  write(checked: CheckedRecord): Promise<void> | undefined {
    if (checked.kind === 'document' || checked.kind === 'change') {
      this.#rows.push(checked);
      this.#characters += (checked.kind === 'document' ? checked.document : checked.before)?.text.length ?? 0;
      return this.#rows.length >= TURN_RECORDS || this.#characters >= TURN_CHARACTERS ? this.#writeRows() : undefined;
    }
    return this.#writeResource(checked);
  }

  /** Writes what is left, once the last record was found right. */
  async finish(): Promise<void> {
    await this.#finishContainer();
    const catalogPosition = this.#before.positions.get(CATALOG_RID) ?? 0;
    if (this.#databases.has('') || catalogPosition === 0) {
      return;
    }
    // The catalog is empty, and its positions go on all the same.
    const stamp = this.#stamp();
    const definition = defineContainer({ id: 'catalog', partitionKey: '/scope' });
    await this.#runProgram(
      (function* (): Program<void> {
        const { number } = yield* insertContainer(CATALOG_DATABASE, CATALOG_RID, definition, stamp);
        yield* run(containerStatements(number).saveFloor, catalogPosition);
      })(),
    );
  }

  async #writeResource(checked: Exclude<CheckedRecord, Row>): Promise<void> {
    await this.#finishContainer();
    switch (checked.kind) {
      case 'header':
        await this.#runProgram(raiseLastDatabase(checked.record.lastDatabase));
        return;
      case 'database': {
        const { id, rid, etag, ts, lastContainer } = checked.record;
        const containers = Math.max(lastContainer, this.#before.lastContainers.get(rid) ?? 0);
        const sql = 'INSERT INTO databases (number, id, etag, ts, containers) VALUES (?, ?, ?, ?, ?)';
        await this.#runProgram(run(sql, checked.number, id, etag, ts, containers));
        this.#databases.set(id, checked.number);
        return;
      }
      case 'container':
        this.#container = await this.#runProgram(this.#beginContainer(checked));
        return;
      default:
        checked satisfies never;
    }
  }

  *#beginContainer({ record, definition }: Of<'container'>): Program<OpenContainer> {
    const { database, rid, etag, ts, etags, recorded, position } = record;
    if (database === null) {
      this.#databases.set('', CATALOG_DATABASE);
    }
    const owner = database === null ? CATALOG_DATABASE : (this.#databases.get(database) as number);
    const { number } = yield* insertContainer(owner, rid, definition, { etag, ts, incarnation: this.#stamp().incarnation });
    yield* run('UPDATE containers SET etags = ? WHERE number = ?', JSON.stringify(etags), number);
    yield* run(containerStatements(number).saveFloor, Math.max(position, this.#before.positions.get(rid) ?? 0));
    if (definition.changeFeedPolicy !== undefined) {
      yield* beginRecording(number, recorded ?? { position, atMs: this.#runtime.nowMs() });
    }
    const uniquePaths = definition.uniqueKeys.map((paths) => paths.map(parsePropertyPath));
    return { number, record, definition, uniquePaths, epks: new Map() };
  }

  async #finishContainer(): Promise<void> {
    await this.#writeRows();
    const container = this.#container;
    this.#container = undefined;
    if (container !== undefined) {
      await this.#assertVersions(container);
      await this.#runProgram(reconcileIndexes(container.number, container.definition, this.#stamp().ts));
    }
  }

  async #writeRows(): Promise<void> {
    const rows = this.#rows;
    const container = this.#container;
    this.#rows = [];
    this.#characters = 0;
    if (container !== undefined && rows.length > 0) {
      await this.#runProgram(insertRows(container, rows));
      await this.#runtime.yieldTask();
    }
  }

  /** Whether each recorded write has the version that it left. */
  async #assertVersions({ number, record }: OpenContainer): Promise<void> {
    const { versions } = tableNames(number);
    const sql =
      `SELECT max(l.position) AS last, count(*) FILTER (WHERE l.kind <= ${CHANGE_KINDS.replace} AND n.position IS NULL AND d.position IS NULL) AS lost` +
      ` FROM (SELECT position, ordinal, kind FROM ${versions} WHERE position > ? ORDER BY position LIMIT ${TURN_RECORDS}) l${joinAfter(number)}`;
    for (let behind: number | null = record.recorded?.position ?? null; behind !== null;) {
      const from: number = behind;
      const found: { last: number | null; lost: number } | undefined = await this.#runProgram(get(sql, from));
      if ((found?.lost ?? 0) > 0) {
        throw invalidSnapshot('damaged', 'a change without its document');
      }
      behind = found?.last ?? null;
      await this.#runtime.yieldTask();
    }
  }
}

function* raiseLastDatabase(last: number): Program<void> {
  if ((yield* run("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'databases'", last)) === 0 && last > 0) {
    yield* run("INSERT INTO sqlite_sequence (name, seq) VALUES ('databases', ?)", last);
  }
}

function epkOf({ epks, definition }: OpenContainer, text: PartitionKeyText, key: PartitionKey): string {
  const known = epks.get(text);
  if (known !== undefined) {
    return known;
  }
  const epk = effectivePartitionKey(key, definition.partitionKey);
  if (epks.size >= MAX_EPKS) {
    epks.clear();
  }
  epks.set(text, epk);
  return epk;
}

function* insertRows(container: OpenContainer, rows: readonly Row[]): Program<void> {
  for (const row of rows) {
    if (row.kind === 'document') {
      yield* insertDocument(container, row);
    } else {
      yield* insertChange(container, row);
    }
  }
}

function* insertDocument(container: OpenContainer, { record, document, expiresAt }: Of<'document'>): Program<void> {
  const { insert, insertOdd, addClaim } = containerStatements(container.number);
  const { partitionKey, partitionKeyText: pk, id, text } = document;
  const sql = isOddText(text) ? insertOdd : insert;
  const epk = epkOf(container, pk, partitionKey);
  if ((yield* run(sql, record.ordinal, pk, id, record.position, epk, record.ts, expiresAt, text)) !== 1) {
    throw invalidSnapshot('damaged', 'two documents of one key');
  }
  if (container.uniquePaths.length > 0) {
    const value = JSON.parse(text) as JsonObject;
    for (const claim of uniqueValues(container.uniquePaths, { ...document, value })) {
      try {
        yield* run(addClaim, claim, record.ordinal);
      } catch (error) {
        throw isPerigeeError(error, 'CONFLICT') ? invalidSnapshot('damaged', 'two documents of one unique key', error) : error;
      }
    }
  }
}

function* insertChange(container: OpenContainer, { record, partitionKey, before }: Of<'change'>): Program<void> {
  const { versions } = tableNames(container.number);
  const body = before === undefined || isOddText(before.text) ? '?' : 'jsonb(?)';
  yield* run(
    `INSERT INTO ${versions} (position, ordinal, kind, at_ms, pk, id, epk, previous, previous_ts, previous_expires_at, previous_body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${body})`,
    record.position,
    record.ordinal,
    CHANGE_KINDS[record.change],
    record.atMs,
    record.partitionKey,
    record.id,
    epkOf(container, record.partitionKey, partitionKey),
    record.before?.position ?? null,
    record.before?.ts ?? null,
    record.before?.expiresAt ?? null,
    before?.text ?? null,
  );
}
