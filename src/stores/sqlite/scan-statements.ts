import { partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import { tableNames } from './container-statements.ts';
import type { SqliteValue } from './driver.ts';

/** A condition in SQL over the columns of a documents table (`ordinal`, `pk`, `id`, `ts`, `body`, …), with `?` for each value in order. */
export interface SqlFilter {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
  /** Whether it holds for exactly the documents that satisfy the query's filter, or for more. */
  readonly exact: boolean;
}

/** Which documents a scan or a change feed reads. */
export interface ScanScope {
  /** Partition keys, each full or a prefix; `undefined` for all. */
  readonly partitionKeys: readonly PartitionKey[] | undefined;
  /** How many components a full partition key has. */
  readonly pathCount: number;
  readonly range: EpkRange | undefined;
  readonly filter?: SqlFilter | undefined;
}

/** Partition keys up to which each is looked up in the index; beyond, the container is walked. */
const MAX_LOOKUPS = 50;

/** A text with `?` and its values. */
interface SqlPiece {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

/** Statements that walk a scope in slices of the table, a bounded number of rows in each. */
export interface ScanStatements {
  /** Whether partition keys are looked up in an index. */
  readonly access: 'partition' | 'container';
  /** The condition of the scope, which holds for each row, and its values. */
  readonly where: SqlPiece;
  /** `pk IN (…)`, where partition keys are looked up. */
  readonly lookup: SqlPiece | undefined;
  /** The ordinal `size` documents of the scope behind another, filter and range apart; no row at the end. */
  bound(behind: number, size: number): SqlPiece;
}

/** The first text behind all texts that begin with `prefix`, whose last character is ASCII. */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function keyCondition(key: PartitionKey, pathCount: number): SqlPiece {
  const text = partitionKeyText(key);
  if (key.length === pathCount) {
    return { sql: 'pk = ?', parameters: [text] };
  }
  const start = `${text.slice(0, -1)},`;
  return { sql: '(pk >= ? AND pk < ?)', parameters: [start, afterPrefix(start)] };
}

function conditionOf(scope: ScanScope, skipKeys: boolean): SqlPiece {
  const parts: SqlPiece[] = [];
  if (scope.partitionKeys !== undefined && !skipKeys) {
    const keys = scope.partitionKeys.map((key) => keyCondition(key, scope.pathCount));
    parts.push({
      sql: keys.length === 0 ? '0' : `(${keys.map(({ sql }) => sql).join(' OR ')})`,
      parameters: keys.flatMap(({ parameters }) => parameters),
    });
  }
  if (scope.range !== undefined && scope.range.min !== '') {
    parts.push({ sql: 'epk >= ?', parameters: [scope.range.min] });
  }
  // Every effective partition key lies below FF.
  if (scope.range !== undefined && scope.range.max !== 'FF') {
    parts.push({ sql: 'epk < ?', parameters: [scope.range.max] });
  }
  if (scope.filter !== undefined) {
    parts.push({ sql: `(${scope.filter.sql})`, parameters: scope.filter.parameters });
  }
  return { sql: parts.map(({ sql }) => ` AND ${sql}`).join(''), parameters: parts.flatMap(({ parameters }) => parameters) };
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
  if (texts === undefined) {
    const bound = `SELECT ordinal FROM ${documents} WHERE ordinal > ? ORDER BY ordinal LIMIT 1 OFFSET ?`;
    return { access: 'container', where, lookup: undefined, bound: (behind, size) => ({ sql: bound, parameters: [behind, size - 1] }) };
  }
  const one = `SELECT ordinal FROM (SELECT ordinal FROM ${documents} WHERE pk = ? AND ordinal > ? ORDER BY ordinal LIMIT ?)`;
  const bound = `${texts.map(() => one).join(' UNION ALL ')} ORDER BY ordinal LIMIT 1 OFFSET ?`;
  return {
    access: 'partition',
    where,
    lookup: { sql: `pk IN (${texts.map(() => '?').join(', ')})`, parameters: texts },
    bound: (behind, size) => ({
      sql: bound,
      parameters: [...texts.flatMap((text) => [text, behind, size]), size - 1],
    }),
  };
}
