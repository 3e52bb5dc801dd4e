import { PerigeeError } from '../../../core/errors.ts';
import { hasLoneSurrogate } from '../../../core/json.ts';
import { parsePropertyPath } from '../../../store/partition-key.ts';

/** Types that a column may have, by their names in PostgreSQL. */
export const COLUMN_TYPE_NAMES = [
  'text',
  'boolean',
  'double precision',
  'numeric',
  'bigint',
  'integer',
  'timestamptz',
  'date',
  'uuid',
  'jsonb',
] as const;

/** A type of a column. */
export type ColumnType = (typeof COLUMN_TYPE_NAMES)[number];

/** A path of documents that is to be a column of its own. */
export interface ColumnInput {
  /** As in an index policy, without an end: `/email`, `/address/city`, `/"a b"`. It leads through objects only. */
  readonly path: string;
  /**
   * - `text`: strings. `boolean`: booleans. `uuid`: strings such as `7f2d…-…`, in either case. `jsonb`: anything.
   * - `double precision`, `numeric`: numbers. `bigint`, `integer`: numbers without a fraction that the type holds.
   * - `timestamptz`: strings such as `2026-01-31T12:00:00.5Z` or `…+02:00`; what is finer than a microsecond is cut off. `date`: `2026-01-31`.
   */
  readonly type: ColumnType;
  /** No two documents of the whole container have the same value, whatever their partition keys. Missing and `null` are no values. `false` unless given. */
  readonly unique?: boolean | undefined;
  /** Documents without a value, or with `null`, are refused. `false` unless given. */
  readonly notNull?: boolean | undefined;
  /** A letter, then up to 62 letters, digits and `_`; the last name of the path unless given. */
  readonly name?: string | undefined;
}

/** A column of a container. */
export interface PromotedColumn {
  readonly name: string;
  readonly path: string;
  readonly type: ColumnType;
  readonly unique: boolean;
  readonly notNull: boolean;
  /** `false` while it is filled and checked, and where that was cut off. */
  readonly isReady: boolean;
}

/** A column as the catalogue has it. */
export interface StoredColumn extends PromotedColumn {
  /** Names its index; another for every column that the container has at a time. */
  readonly number: number;
}

const MAX_COLUMNS = 64;
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/u;
/** Columns of the table, of its views and of PostgreSQL; one letter with a number, and the prefix, are kept for what is to come. */
const RESERVED = /^(?:ordinal|pk|id|position|epk|ts|expires_at|body|doc|partition_key|tableoid|[cx]min|[cx]max|ctid|[a-z]\d+|perigee.*)$/iu;

function refuse(what: string, why: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', `Cannot promote ${what} to a column: ${why}.`);
}

function nameOf(path: string, names: readonly string[], given: unknown): string {
  const name = given ?? names.at(-1);
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw refuse(`the path ${path}`, 'its name is a letter and up to 62 letters, digits and "_". Give one that is, with the member "name"');
  }
  if (RESERVED.test(name)) {
    throw refuse(
      `the path ${path}`,
      `the name ${JSON.stringify(name)} is kept for the columns of Perigee. Give another with the member "name"`,
    );
  }
  return name;
}

function flag(path: string, name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw refuse(`the path ${path}`, `its member "${name}" is true or false`);
  }
  return value ?? false;
}

function checkColumn(input: ColumnInput): Omit<PromotedColumn, 'isReady'> {
  const { path: given, type, unique, notNull, name } = (input ?? {}) as Partial<ColumnInput>;
  if (typeof given !== 'string' || given.length > 1024) {
    throw refuse('a path', 'it is a text of up to 1,024 characters, such as /email');
  }
  const path = JSON.stringify(given);
  let names: readonly string[];
  try {
    names = parsePropertyPath(given);
  } catch (cause) {
    throw new PerigeeError('INVALID_OPTION', `Cannot promote the path ${path} to a column: write it as /name or /name/name.`, { cause });
  }
  // eslint-disable-next-line no-control-regex -- these are what it is about
  if (/[\u0000\u0001]/u.test(given) || hasLoneSurrogate(given)) {
    throw refuse(`the path ${path}`, 'it holds U+0000, U+0001 or half a surrogate pair, of which PostgreSQL is told nothing');
  }
  if (/^_(?:rid|self|etag|attachments|ts)$/u.test(names[0] as string)) {
    throw refuse(`the path ${path}`, 'it is a system property, which is not in what is stored');
  }
  if (!(COLUMN_TYPE_NAMES as readonly unknown[]).includes(type)) {
    throw refuse(`the path ${path}`, `its type is one of ${COLUMN_TYPE_NAMES.join(', ')}`);
  }
  return {
    name: nameOf(path, names, name),
    path: given,
    type: type as ColumnType,
    unique: flag(path, 'unique', unique),
    notNull: flag(path, 'notNull', notNull),
  };
}

/** Checks columns that are asked for. @throws INVALID_OPTION */
export function checkColumns(inputs: readonly ColumnInput[]): readonly Omit<PromotedColumn, 'isReady'>[] {
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw refuse('nothing', 'name at least one path');
  }
  const columns = (inputs as readonly ColumnInput[]).map(checkColumn);
  for (const [index, { name }] of columns.entries()) {
    if (columns.findIndex((other) => other.name === name) !== index) {
      throw refuse('several paths', `the name ${JSON.stringify(name)} is given twice. Give another with the member "name"`);
    }
  }
  return columns;
}

/** The columns of a container in the catalogue. */
export function readColumns(text: string | null): readonly StoredColumn[] {
  return text === null ? [] : (JSON.parse(text) as StoredColumn[]);
}

/** As the catalogue keeps columns. */
export function columnsText(columns: readonly StoredColumn[]): string | null {
  return columns.length === 0 ? null : JSON.stringify(columns);
}

/** Columns with others put to them, which are not ready. @throws CONFLICT, TOO_LARGE */
export function withColumns(present: readonly StoredColumn[], asked: readonly Omit<PromotedColumn, 'isReady'>[]): readonly StoredColumn[] {
  const columns = [...present];
  for (const one of asked) {
    const found = present.find(({ name }) => name === one.name);
    if (found === undefined) {
      const number = columns.reduce((most, column) => Math.max(most, column.number), 0) + 1;
      columns.push({ ...one, number, isReady: false });
    } else if (found.path !== one.path || found.type !== one.type || found.unique !== one.unique || found.notNull !== one.notNull) {
      throw new PerigeeError(
        'CONFLICT',
        `Cannot promote the path ${JSON.stringify(one.path)} to the column ${JSON.stringify(one.name)}: there is another one of this name, of the path ${JSON.stringify(found.path)}. Drop it first, or give another name.`,
      );
    }
  }
  if (columns.length > MAX_COLUMNS) {
    throw new PerigeeError('TOO_LARGE', `Cannot promote more paths to columns: a container has ${MAX_COLUMNS} at most.`);
  }
  return columns;
}

/** A column without what only the catalogue needs. */
export function publicColumn({ name, path, type, unique, notNull, isReady }: StoredColumn): PromotedColumn {
  return { name, path, type, unique, notNull, isReady };
}
