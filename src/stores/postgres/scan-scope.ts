import { numberPlaceholders } from '../../query/compile/postgres/placeholders.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import type { KeyScope } from '../common/query-scope.ts';
import { escapeText } from '../../query/compile/postgres/nul-text.ts';
import { keyText, prefixBounds } from './key-text.ts';
import type { PgValue } from './postgres-database.ts';

/** A text with `?` for each of its values, in order; no other `?` is in it. */
export interface SqlPiece {
  readonly sql: string;
  readonly parameters: readonly PgValue[];
}

/** What a scan reads, beside the key scope. */
export interface ScanScope extends KeyScope {
  readonly filter?: SqlPiece | undefined;
}

/** How a scope leads to its documents. */
export type ScanAccess = 'point' | 'partition' | 'container';

/** A piece of other pieces; what stands between is text of this source. */
export function piece(strings: TemplateStringsArray, ...pieces: readonly (SqlPiece | string)[]): SqlPiece {
  let sql = strings[0] as string;
  const parameters: PgValue[] = [];
  for (const [index, one] of pieces.entries()) {
    sql += (typeof one === 'string' ? one : one.sql) + (strings[index + 1] as string);
    if (typeof one !== 'string') {
      parameters.push(...one.parameters);
    }
  }
  return { sql, parameters };
}

/** A value of a type of PostgreSQL. */
export function value(type: string, given: PgValue): SqlPiece {
  return { sql: `?::${type}`, parameters: [given] };
}

/** The statement of a piece: its placeholders are numbered. */
export function statementOf({ sql, parameters }: SqlPiece): { readonly text: string; readonly values: readonly PgValue[] } {
  return { text: numberPlaceholders(sql, 1), values: parameters };
}

/**
 * A bound value of which the planner knows nothing, whether or not it plans for the value.
 *
 * PostgreSQL makes a plan for each run of a prepared statement for as long as it takes a plan for all values to be dearer. By the end of a range it takes
 * it for that wherever the range is long, and planning takes longer than reading some rows in the order of an index.
 */
export function unknownTo(placeholder: string): string {
  return `(SELECT ${placeholder})`;
}

/** Values that are compared otherwise than by `=`: ends of ranges, and places from which a walk goes on. */
const RANGE_ENDS = /(?<![^<>]= )\?::(?:float8|text|bigint)(?!\[)/gu;

/** {@link statementOf} by the name under which it is kept prepared, where it is. */
export function namedStatement(
  one: SqlPiece,
  { nameOf }: Reading,
): ReturnType<typeof statementOf> & { readonly name?: string | undefined } {
  if (nameOf === undefined) {
    return statementOf(one);
  }
  const statement = statementOf({ sql: one.sql.replace(RANGE_ENDS, unknownTo), parameters: one.parameters });
  return { ...statement, name: nameOf(statement.text) };
}

function prefixCondition(prefix: PartitionKey): SqlPiece {
  const [from, below] = prefixBounds(prefix);
  return piece`(pk >= ${value('text', from)} AND pk < ${value('text', below)})`;
}

function joined(conditions: readonly SqlPiece[], operator: 'AND' | 'OR', none: string): SqlPiece {
  return {
    sql: conditions.length === 0 ? none : `(${conditions.map(({ sql }) => sql).join(` ${operator} `)})`,
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}

/** Conditions of which one has to hold. Each binds at least as strongly as `AND`. */
export function anyOf(conditions: readonly SqlPiece[]): SqlPiece {
  return joined(conditions, 'OR', 'false');
}

/** Conditions that all have to hold. Each binds at least as strongly as `AND`. */
export function allOf(conditions: readonly SqlPiece[]): SqlPiece {
  return joined(conditions, 'AND', 'true');
}

function keysCondition(keys: readonly PartitionKey[], pathCount: number): SqlPiece {
  const whole = keys.filter((key) => key.length === pathCount).map(keyText);
  const parts = keys.filter((key) => key.length < pathCount).map(prefixCondition);
  if (whole.length === 1) {
    parts.push(piece`pk = ${value('text', whole[0] as string)}`);
  } else if (whole.length > 1) {
    parts.push(piece`pk = ANY (${value('text[]', whole)})`);
  }
  return anyOf(parts);
}

/** Conditions on the key of a row, each with ` AND ` before it. */
export function keyConditions({ partitionKeys, pathCount, range, ids }: KeyScope): SqlPiece {
  const parts: SqlPiece[] = [];
  if (partitionKeys !== undefined) {
    parts.push(keysCondition(partitionKeys, pathCount));
  }
  if (ids !== undefined) {
    parts.push(piece`id = ANY (${value('text[]', ids.map(escapeText))})`);
  }
  if (range !== undefined && range.min !== '') {
    parts.push(piece`epk >= ${value('text', range.min)}`);
  }
  // Every effective partition key lies below FF.
  if (range !== undefined && range.max !== 'FF') {
    parts.push(piece`epk < ${value('text', range.max)}`);
  }
  return { sql: parts.map(({ sql }) => ` AND ${sql}`).join(''), parameters: parts.flatMap(({ parameters }) => parameters) };
}

/** The condition that holds for the living documents of a scope. */
export function scopeCondition({ filter, ...keys }: ScanScope, nowSeconds: number): SqlPiece {
  const living = piece`(expires_at IS NULL OR expires_at > ${value('bigint', nowSeconds)})${keyConditions(keys)}`;
  return filter === undefined ? living : piece`${living} AND (${filter})`;
}

/** How the documents of a scope are read. */
export interface Reading {
  /** The table. */
  readonly documents: string;
  /** Holds for the living documents that are read. */
  readonly condition: SqlPiece;
  /** Holds for those odd ones that are read besides; where it is there, {@link Reading.condition} holds for none of them. */
  readonly odd: SqlPiece | undefined;
  /** Names the statements that are kept prepared; undefined where each is planned for its values. */
  readonly nameOf: ((text: string) => string | undefined) | undefined;
}

/** What an index says of the documents that a reading leads to. */
export interface Told {
  /** Holds for those that are not odd. */
  readonly told: SqlPiece;
  readonly nameOf: Reading['nameOf'];
}

/** Reads a scope, by way of an index where there is one. */
export function readingOf(documents: string, scope: ScanScope, access: Told | undefined, nowSeconds: number): Reading {
  if (access === undefined) {
    return { documents, condition: scopeCondition(scope, nowSeconds), odd: undefined, nameOf: undefined };
  }
  const living = scopeCondition({ ...scope, filter: undefined }, nowSeconds);
  const { told, nameOf } = access;
  return { documents, condition: piece`${told} AND ${living}`, odd: piece`doc IS NULL AND ${living}`, nameOf };
}

/** The first rows of a reading behind an ordinal, in creation order. */
export function rowsBehind({ documents, condition, odd }: Reading, columns: string, behind: number, limit: number): SqlPiece {
  const rows = (where: SqlPiece): SqlPiece =>
    piece`SELECT ${columns} FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${where} ORDER BY ordinal LIMIT ${String(limit)}`;
  return odd === undefined
    ? rows(condition)
    : piece`SELECT * FROM ((${rows(condition)}) UNION ALL (${rows(odd)})) AS both_kinds ORDER BY ordinal LIMIT ${String(limit)}`;
}

/**
 * Whether a table may have odd documents, as one term of a SELECT list: false where the index of them has never had an entry. To look into it would have
 * the planner think about a second table, which takes longer than reading some rows.
 */
export function mayHaveOdd(documents: string): string {
  const index = `'${documents.replaceAll("'", "''")}_odd'`;
  return `(SELECT pg_relation_size(to_regclass(${index})) > current_setting('block_size')::bigint) AS odd`;
}

/** How the documents of a scope are found. */
export function accessOf({ partitionKeys, ids }: ScanScope): ScanAccess {
  if (partitionKeys?.length === 0 || ids?.length === 0) {
    return 'point';
  }
  return partitionKeys === undefined ? 'container' : ids === undefined ? 'partition' : 'point';
}
