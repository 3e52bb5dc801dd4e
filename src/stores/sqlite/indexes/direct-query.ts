import { rawSql, type Sql } from '../../../query/compile/common/sql-fragment.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import type { QueryRequest } from '../../../store/store-hooks.ts';
import { directValues, readDirect, type DirectPage, type DirectRow } from '../../common/direct-page.ts';
import { directShape, type DirectShape, type KnownShapes } from '../../common/direct-shape.ts';
import { BODY_TEXT, isFoldable, tableNames } from '../container-statements.ts';
import { all, type Program, type SqliteRow } from '../driver.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { indexExpressions, RANKS } from './index-expressions.ts';
import { allOf, rankIs, rankOf } from './index-seek.ts';

/** What a direct query runs. */
interface DirectStatements {
  readonly rows: string;
  /** Looks for an odd document, where there may be any among the rows. */
  readonly odd: string | undefined;
}

type KnownStatements = DirectStatements | 'nothing';

const SHAPES: KnownShapes<KnownStatements> = new WeakMap();

function hasValue(rank: number): boolean {
  return rank === RANKS.number || rank === RANKS.string;
}

/** `ranks` are those of the values of `equal`, then of `ends`. */
function statementsFor(container: SqliteContainer, shape: DirectShape<KnownStatements>, ranks: readonly number[]): KnownStatements {
  const { documents } = tableNames(container.number);
  const columns = indexExpressions(shape.index.columns) ?? [];
  const pieces: Sql[] = [];
  for (const [at, column] of columns.slice(0, shape.equal.length).entries()) {
    const rank = ranks[at] as number;
    const isRank = rankIs(column, rank);
    if (isRank === 'none') {
      return 'nothing';
    }
    pieces.push(...(isRank === undefined ? [] : [isRank]), rawSql(`${column.value} ${hasValue(rank) ? '= ?' : 'IS NULL'}`));
  }
  const terms: string[] = [];
  for (const [at, { rank, value }] of columns.slice(shape.equal.length).entries()) {
    const turned = shape.order[at]?.descending === true ? ' DESC' : '';
    const pinned = at === 0 ? ranks[shape.equal.length] : undefined;
    if (pinned !== undefined) {
      const isRank = rankIs(columns[shape.equal.length + at] as (typeof columns)[number], pinned);
      if (isRank === 'none' || !hasValue(pinned)) {
        return 'nothing';
      }
      pieces.push(...(isRank === undefined ? [] : [isRank]), ...shape.ends.map(({ operator }) => rawSql(`${value} ${operator} ?`)));
    } else if (rank !== undefined) {
      pieces.push(...(at === 0 ? [rawSql(`${rank} < ${RANKS.odd}`)] : []));
      terms.push(`${rank}${turned}`);
    }
    terms.push(`${value}${turned}`);
  }
  const from = `FROM ${documents} INDEXED BY ${shape.index.name}`;
  const behind = shape.order.length === 0 ? ' AND ordinal > ?' : '';
  const rank = columns[0]?.rank;
  return {
    rows: `SELECT ordinal, position, ts, expires_at, CASE WHEN ${isFoldable('body')} THEN ${BODY_TEXT} END AS body ${from} WHERE ${allOf(pieces).text}${behind} ORDER BY ${[...terms, 'ordinal'].join(', ')} LIMIT ?+0`,
    odd: rank === undefined ? undefined : `SELECT ordinal ${from} WHERE ${rank} = ${RANKS.odd} LIMIT 1`,
  };
}

/** A query that is ready to run. */
interface DirectRun {
  readonly shape: DirectShape<KnownStatements>;
  readonly statements: DirectStatements;
  /** The values of the placeholders. */
  readonly bound: readonly (number | string)[];
}

function prepareRun(container: SqliteContainer, prepared: PreparedQuery, request: QueryRequest): DirectRun | undefined {
  if (request.partitionKey !== undefined || request.range !== undefined || container.indexes.isStale) {
    return undefined;
  }
  const shape = directShape(container, prepared, SHAPES);
  const given = shape && directValues(shape, request, rankOf);
  if (shape === undefined || given === undefined) {
    return undefined;
  }
  const { types: ranks, bound } = given;
  const key = ranks.join();
  const statements = shape.statements.get(key) ?? statementsFor(container, shape, ranks);
  shape.statements.set(key, statements);
  return statements === 'nothing' ? undefined : { shape, statements, bound };
}

/** The rows of one statement, as they are stored; undefined where there are odd documents. */
function readRows(run: DirectRun, looksForOdd: boolean, values: readonly number[]): Program<readonly DirectRow[] | undefined> {
  const { statements, bound } = run;
  return (function* () {
    const odd = looksForOdd && statements.odd !== undefined ? yield* all(statements.odd) : [];
    return odd.length > 0 ? undefined : yield* all<DirectRow & SqliteRow>(statements.rows, ...bound, ...values);
  })();
}

/** Reads a page of a query that an index answers by itself; undefined where it has to be run in another way. */
export async function runDirectQuery(
  container: SqliteContainer,
  prepared: PreparedQuery,
  request: QueryRequest,
  read: Read,
): Promise<DirectPage | undefined> {
  const run = prepareRun(container, prepared, request);
  return run === undefined
    ? undefined
    : readDirect(run.shape, prepared, request, {
        runtime: container.database.runtime,
        nowSeconds: () => container.nowSeconds(),
        documentOf: (body, ordinal, position, ts) => container.documentOf(body, ordinal, position, ts),
        readRows: (looksForOdd, behind, count) => read(() => readRows(run, looksForOdd, behind === undefined ? [count] : [behind, count])),
        // Arrays and objects have an order that SQLite lacks.
        isTold: (key) => typeof key !== 'object' || key === null,
      });
}
