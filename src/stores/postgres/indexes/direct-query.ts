import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { SMALL_TEXTS } from '../../../query/compile/postgres/index-terms.ts';
import type { QueryRequest } from '../../../store/store-hooks.ts';
import { directValues, readDirect, type DirectPage, type DirectRow, type Scalar } from '../../common/direct-page.ts';
import { directShape, type DirectShape, type KnownShapes } from '../../common/direct-shape.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PgRow } from '../postgres-database.ts';
import { mayHaveOdd, unknownTo } from '../scan-scope.ts';
import type { Run } from '../scan-slices.ts';
import { expressionsOf, indexColumns, type IndexColumns } from './index-columns.ts';
import { cutText } from './index-seek.ts';

/** The text of a statement up to its LIMIT, with and without a look for odd documents. */
interface DirectStatements {
  readonly looking: string;
  readonly rows: string;
  readonly textLength: number;
}

type KnownStatements = DirectStatements | 'nothing';

const SHAPES: KnownShapes<KnownStatements> = new WeakMap();

/** Bytes of a document that is read together with others. */
const SHORT_BYTES = 32_768;

function typeLetter(value: Scalar): string {
  return typeof value === 'number' ? 'n' : typeof value === 'string' ? 's' : value === null ? '0' : value ? 't' : 'f';
}

/** Writes the statement for values of some types; those of `equal`, then of `ends`. */
function statementsFor(
  { names }: PostgresContainer,
  { equal, ends, order, index }: DirectShape,
  { columns, textLength }: IndexColumns,
  values: readonly Scalar[],
): KnownStatements {
  let placeholders = 0;
  const bound = (type: string): string => `$${(placeholders += 1)}::${type}`;
  const conditions = ['doc IS NOT NULL'];
  const terms: string[] = [];
  for (const [at, column] of columns.entries()) {
    if (column.kind === 'whole') {
      return 'nothing';
    }
    const { number, text } = column.terms;
    const value = values[at] as Scalar;
    if (at < equal.length) {
      conditions.push(
        typeof value === 'number'
          ? `${number} = ${bound('float8')} AND ${text} = ''`
          : typeof value === 'string'
            ? `${number} = 'Infinity'::float8 AND ${text} = ${bound('text')}`
            : `${number} = '-Infinity'::float8 AND ${text} = '${value === null ? SMALL_TEXTS.null : value ? SMALL_TEXTS.true : SMALL_TEXTS.false}'`,
      );
      continue;
    }
    const turned = index.columns[at]?.descending === true ? ' DESC' : '';
    if (at === equal.length && ends.length > 0) {
      if (typeof value === 'number') {
        // A term that is known to have one value need not be computed for ORDER BY.
        conditions.push(`${number} > '-Infinity'::float8 AND ${number} < 'Infinity'::float8 AND ${text} = ''`);
        conditions.push(...ends.map(({ operator }) => `${number} ${operator} ${unknownTo(bound('float8'))}`));
        terms.push(`${number}${turned}`);
        continue;
      }
      if (typeof value === 'string') {
        conditions.push(`${number} = 'Infinity'::float8`, ...ends.map(({ operator }) => `${text} ${operator} ${unknownTo(bound('text'))}`));
      } else {
        return 'nothing';
      }
    }
    terms.push(...expressionsOf(column).map((term) => `${term}${turned}`));
  }
  const behind = order.length === 0 ? ` AND ordinal > ${bound('bigint')}` : '';
  const short = `CASE WHEN octet_length(body) <= ${SHORT_BYTES} THEN body END AS body`;
  const select = (more: string): string =>
    `SELECT ordinal, position, ts, expires_at, ${short}${more} FROM ${names.documents} WHERE ${conditions.join(' AND ')}${behind} ORDER BY ${[...terms, 'ordinal'].join(', ')} LIMIT `;
  return { looking: select(`, ${mayHaveOdd(names.documents)}`), rows: select(''), textLength };
}

/** A query that is ready to run. */
interface DirectRun {
  readonly shape: DirectShape<KnownStatements>;
  readonly statements: DirectStatements;
  readonly bound: readonly (number | string)[];
}

function prepareRun(container: PostgresContainer, prepared: PreparedQuery, request: QueryRequest): DirectRun | undefined {
  if (request.partitionKey !== undefined || request.range !== undefined) {
    return undefined;
  }
  const shape = directShape(container, prepared, SHAPES);
  const given = shape && directValues(shape, request, typeLetter);
  if (shape === undefined || given === undefined) {
    return undefined;
  }
  const { values, types, bound } = given;
  const key = types.join('');
  let statements = shape.statements.get(key);
  if (statements === undefined) {
    const columns = indexColumns(shape.index.columns);
    statements = columns === undefined ? 'nothing' : statementsFor(container, shape, columns, values);
    shape.statements.set(key, statements);
  }
  if (statements === 'nothing') {
    return undefined;
  }
  const { textLength } = statements;
  // Of a longer text the index has only the beginning.
  const isWhole = values.every((value) => typeof value !== 'string' || !cutText(value, textLength).isCut);
  return isWhole ? { shape, statements, bound } : undefined;
}

async function readRows(
  container: PostgresContainer,
  { statements, bound }: DirectRun,
  looksForOdd: boolean,
  behind: number | undefined,
  count: number,
  run: Run,
): Promise<readonly DirectRow[] | undefined> {
  const text = `${looksForOdd ? statements.looking : statements.rows}${count}`;
  const values = behind === undefined ? bound : [...bound, behind];
  const rows = await run<DirectRow & PgRow & { readonly odd?: boolean | null }>({
    text,
    values,
    name: container.indexes.statementName(container, text),
  });
  if (!looksForOdd) {
    return rows;
  }
  const isLookedFor = rows[0]?.odd !== false;
  const odd = isLookedFor ? await run({ text: `SELECT FROM ${container.names.documents} WHERE doc IS NULL LIMIT 1`, values: [] }) : [];
  return odd.length > 0 ? undefined : rows;
}

/**
 * Reads a page of a query that an index answers by itself; undefined where it has to be run in another way. Nothing is compiled or evaluated for it, which
 * takes longer than reading its rows.
 */
export async function runDirectQuery(
  container: PostgresContainer,
  prepared: PreparedQuery,
  request: QueryRequest,
  run: Run,
): Promise<DirectPage | undefined> {
  const direct = prepareRun(container, prepared, request);
  return direct === undefined
    ? undefined
    : readDirect(direct.shape, prepared, request, {
        runtime: container.database.runtime,
        nowSeconds: () => container.nowSeconds(),
        documentOf: (body, ordinal, position, ts) => container.documentOf(body, ordinal, position, ts),
        readRows: (looksForOdd, behind, count) => readRows(container, direct, looksForOdd, behind, count, run),
        isTold: (key) =>
          typeof key === 'string' ? !cutText(key, direct.statements.textLength).isCut : typeof key !== 'object' || key === null,
      });
}
