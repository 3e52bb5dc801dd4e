import { partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { KeyScope } from '../common/query-scope.ts';
import { tableNames } from './container-statements.ts';
import type { SqliteValue } from './driver.ts';

/** A condition in SQL over the columns of a documents table (`ordinal`, `pk`, `id`, `ts`, `body`, …), with `?` for each value in order. */
export interface SqlFilter {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
  /** Whether it holds for exactly the documents that satisfy the query's filter, or for more. */
  readonly exact: boolean;
}

/** The documents that an index leads to, in creation order. */
export type IndexEntries =
  /** Those of one stretch of the index, whose entries lie in that order. */
  | { readonly kind: 'seek'; readonly index: string; readonly condition: SqlPiece }
  /** Those with some ordinals, ascending. */
  | { readonly kind: 'collected'; readonly index: string; readonly ordinals: readonly number[] };

/** Which documents a scan or a change feed reads. */
export interface ScanScope extends KeyScope {
  readonly filter?: SqlFilter | undefined;
  /** Where an index leads to all that is read. */
  readonly entries?: IndexEntries | undefined;
}

/** Partition keys up to which each is looked up in the index; beyond, the container is walked. */
const MAX_LOOKUPS = 50;
/** Documents up to which each is looked up by its key. */
const MAX_POINTS = 1000;

/** A text with `?` and its values. */
export interface SqlPiece {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

/** Statements that walk a scope in slices of the table, a bounded number of rows in each. */
export interface ScanStatements {
  /** Whether documents are looked up by key, or partition keys in an index, or values in another, or everything is walked. */
  readonly access: 'point' | 'partition' | 'index' | 'container';
  /** The condition of the scope, which holds for each row, and its values. */
  readonly where: SqlPiece;
  /** What is looked up in an index: `pk IN (…)`, or the values of another index. */
  readonly lookup: SqlPiece | undefined;
  /** The index of the lookup, to be named in the statement. */
  readonly index: string | undefined;
  /** Ordinals of all that is read, ascending; each slice looks up some of them. Where it is there, nothing is said by `lookup` and `bound`. */
  readonly ordinals: readonly number[] | undefined;
  /** Whether `where` decides more than which partition keys and ranges are read. */
  readonly isFiltered: boolean;
  /** The ordinal about `size` documents of the scope behind another, filter and range apart; no row at the end. `undefined`: one slice is enough. */
  bound(behind: number, size: number): SqlPiece | undefined;
}

/** The first text behind all texts that begin with `prefix`, whose last character is ASCII. */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function placeholders(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function keyCondition(key: PartitionKey, pathCount: number): SqlPiece {
  const text = partitionKeyText(key);
  if (key.length === pathCount) {
    return { sql: 'pk = ?', parameters: [text] };
  }
  const start = `${text.slice(0, -1)},`;
  return { sql: '(pk >= ? AND pk < ?)', parameters: [start, afterPrefix(start)] };
}

/** Conditions of one OR; SQLite bounds how deep a chain of them may be. */
const MAX_CHAIN = 100;

function anyOf(conditions: readonly SqlPiece[]): SqlPiece {
  if (conditions.length > MAX_CHAIN) {
    const groups: SqlPiece[] = [];
    for (let start = 0; start < conditions.length; start += MAX_CHAIN) {
      groups.push(anyOf(conditions.slice(start, start + MAX_CHAIN)));
    }
    return anyOf(groups);
  }
  return {
    sql: conditions.length === 0 ? '0' : `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}

function conditionOf(scope: ScanScope, skipKeys: boolean): SqlPiece {
  const parts: SqlPiece[] = [];
  if (scope.partitionKeys !== undefined && !skipKeys) {
    parts.push(anyOf(scope.partitionKeys.map((key) => keyCondition(key, scope.pathCount))));
  }
  if (scope.range !== undefined && scope.range.min !== '') {
    parts.push({ sql: 'epk >= ?', parameters: [scope.range.min] });
  }
  // Every effective partition key lies below FF.
  if (scope.range !== undefined && scope.range.max !== 'FF') {
    parts.push({ sql: 'epk < ?', parameters: [scope.range.max] });
  }
  if (scope.ids !== undefined && scope.ids.length <= MAX_POINTS) {
    parts.push({ sql: `id IN (${placeholders(scope.ids)})`, parameters: scope.ids });
  }
  if (scope.filter !== undefined) {
    parts.push({ sql: `(${scope.filter.sql})`, parameters: scope.filter.parameters });
  }
  return { sql: parts.map(({ sql }) => ` AND ${sql}`).join(''), parameters: parts.flatMap(({ parameters }) => parameters) };
}

const BY_KEY = { index: undefined, ordinals: undefined } as const;

/** Statements that read what an index leads to. */
function entryStatements(container: number, scope: ScanScope, entries: IndexEntries): ScanStatements {
  const { documents } = tableNames(container);
  const found = { access: 'index', where: conditionOf(scope, false), isFiltered: true } as const;
  if (entries.kind === 'collected') {
    return { ...found, lookup: undefined, index: undefined, ordinals: entries.ordinals, bound: () => undefined };
  }
  const { index, condition } = entries;
  const bound = `SELECT ordinal FROM ${documents} INDEXED BY ${index} WHERE ${condition.sql} AND ordinal > ? ORDER BY ordinal LIMIT 1 OFFSET ?`;
  return {
    ...found,
    lookup: condition,
    index,
    ordinals: undefined,
    bound: (behind, size) => ({ sql: bound, parameters: [...condition.parameters, behind, size - 1] }),
  };
}

/** Builds the statements for a scope. */
export function scanStatements(container: number, scope: ScanScope): ScanStatements {
  const { documents } = tableNames(container);
  const keys = scope.partitionKeys;
  const texts =
    keys !== undefined && keys.length > 0 && keys.length <= MAX_LOOKUPS && keys.every((key) => key.length === scope.pathCount)
      ? keys.map((key) => partitionKeyText(key))
      : undefined;
  const where = conditionOf(scope, texts !== undefined);
  const isFiltered = scope.ids !== undefined || scope.filter !== undefined;
  if (keys?.length === 0 || scope.ids?.length === 0) {
    return { access: 'point', where, lookup: undefined, ...BY_KEY, isFiltered, bound: () => undefined };
  }
  if (scope.entries !== undefined) {
    return entryStatements(container, scope, scope.entries);
  }
  if (texts === undefined) {
    const bound = `SELECT ordinal FROM ${documents} WHERE ordinal > ? ORDER BY ordinal LIMIT 1 OFFSET ?`;
    return {
      access: 'container',
      where,
      lookup: undefined,
      ...BY_KEY,
      isFiltered,
      bound: (behind, size) => ({ sql: bound, parameters: [behind, size - 1] }),
    };
  }
  const lookup = { sql: `pk IN (${placeholders(texts)})`, parameters: texts };
  if (scope.ids !== undefined && scope.ids.length * texts.length <= MAX_POINTS) {
    return { access: 'point', where, lookup, ...BY_KEY, isFiltered, bound: () => undefined };
  }
  // The nearest of the places that lie some documents ahead in each key, so that a slice has `size` documents at most.
  const one = `SELECT (SELECT ordinal FROM ${documents} WHERE pk = ? AND ordinal > ? ORDER BY ordinal LIMIT 1 OFFSET ?) AS place`;
  const bound = `SELECT ordinal FROM (SELECT min(place) AS ordinal FROM (${texts.map(() => one).join(' UNION ALL ')})) WHERE ordinal IS NOT NULL`;
  return {
    access: 'partition',
    where,
    lookup,
    index: `${documents}_pk`,
    ordinals: undefined,
    isFiltered,
    bound: (behind, size) => {
      const ahead = Math.max(1, Math.floor(size / texts.length));
      return { sql: bound, parameters: texts.flatMap((text) => [text, behind, ahead - 1]) };
    },
  };
}
