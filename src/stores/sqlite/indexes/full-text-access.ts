import { containerSettings } from '../../../query/container-settings.ts';
import { readTextCondition, type IndexedText, type TextCondition } from '../../../query/search/text-condition.ts';
import { get, type Program } from '../driver.ts';
import { scanStatements, type ScanStatements, type SqlPiece } from '../scan-statements.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import type { AccessQuery } from './index-access.ts';
import { policyOf } from './wanted-indexes.ts';
import { FULL_TEXT, fullTextKey, fullTextKind, wordsTable } from './full-text-index.ts';

/** More documents than these are not collected: then a scan is about as good. */
const MAX_COLLECTED = 16_384;

/** How indexes of words serve a query. */
export interface FullTextAccess {
  /** Reads the documents that they lead to, in creation order. */
  readonly statements: ScanStatements;
  /** How many these are. */
  readonly documents: number;
  /** The paths of the indexes, for people. */
  readonly indexes: readonly string[];
}

/** What the names of an index's tables begin with; undefined where no index of the text is ready. */
export function fullTextTable(container: SqliteContainer, text: IndexedText): string | undefined {
  const key = fullTextKey(text);
  return container.indexes.ready.find((index) => index.kind === FULL_TEXT && index.key === key)?.name;
}

/** A query of FTS5 for one phrase. Words hold no double quotes. */
export function phraseText(words: readonly string[]): string {
  return `"${words.join(' ')}"`;
}

const NOTHING: SqlPiece = { sql: 'SELECT 0 AS rowid WHERE 0', parameters: [] };

function match(table: string, every: boolean, phrases: readonly (readonly string[])[]): SqlPiece {
  const found = phrases.filter((words) => words.length > 0);
  if (found.length === 0 || (every && found.length < phrases.length)) {
    return NOTHING;
  }
  const words = wordsTable(table);
  const text = found.map(phraseText).join(every ? ' AND ' : ' OR ');
  return { sql: `SELECT rowid FROM ${words} WHERE ${words} MATCH ?`, parameters: [text] };
}

/** The ordinals of the documents for which a condition holds, as a SELECT. */
function ordinalsOf(container: SqliteContainer, condition: TextCondition): SqlPiece {
  if (condition.kind === 'phrases') {
    return match(fullTextTable(container, condition.text) as string, condition.every, condition.phrases);
  }
  const pieces = condition.conditions.map((part) => ordinalsOf(container, part));
  return {
    sql: pieces.map(({ sql }) => `SELECT rowid FROM (${sql})`).join(condition.every ? ' INTERSECT ' : ' UNION '),
    parameters: pieces.flatMap(({ parameters }) => parameters),
  };
}

function* collect({ sql, parameters }: SqlPiece): Program<readonly number[] | undefined> {
  const from = `SELECT rowid FROM (${sql}) LIMIT ${MAX_COLLECTED + 1}`;
  const row = yield* get<{ ordinals: string }>(`SELECT json_group_array(rowid) AS ordinals FROM (${from})`, ...parameters);
  const ordinals = JSON.parse(row?.ordinals ?? '[]') as number[];
  return ordinals.length > MAX_COLLECTED ? undefined : ordinals.sort((left, right) => left - right);
}

function textsOf(condition: TextCondition): readonly IndexedText[] {
  return condition.kind === 'group' ? condition.conditions.flatMap(textsOf) : [condition.text];
}

/**
 * Finds the documents that can pass the full text conditions of WHERE by the words that are indexed; undefined where there are none, or too many.
 * What it leads to is filtered by the evaluator as ever.
 */
export async function fullTextAccess(
  container: SqliteContainer,
  { prepared, parameters, computedProperties, scope, filter }: AccessQuery,
  read: Read,
): Promise<FullTextAccess | undefined> {
  const { definition } = container.info;
  if (container.indexes.isStale) {
    await read(() => container.indexes.load());
  }
  if (!container.indexes.ready.some(({ kind }) => kind === FULL_TEXT)) {
    return undefined;
  }
  const condition = readTextCondition(prepared, parameters, {
    policy: containerSettings(definition).searchPolicy,
    computedProperties,
    isIndexed: (text) => fullTextTable(container, text) !== undefined,
  });
  if (condition === undefined) {
    return undefined;
  }
  const ordinals = await read(() => collect(ordinalsOf(container, condition)));
  if (ordinals === undefined) {
    return undefined;
  }
  const texts = [...new Set(textsOf(condition).map(({ path }) => `/${path.join('/')}`))];
  return {
    statements: scanStatements(container.number, { ...scope, filter, entries: { kind: 'collected', index: FULL_TEXT, ordinals } }),
    documents: ordinals.length,
    indexes: texts.map((path) => `full text ${path}`),
  };
}

/**
 * Sentences on indexes of the policy that would serve the full text conditions of a query and cannot: SQLite has no FTS5, or the index is not
 * filled yet.
 */
export function missedFullTextIndexes(
  container: SqliteContainer,
  { prepared, parameters, computedProperties }: AccessQuery,
): readonly string[] {
  const { definition } = container.info;
  const policy = policyOf(definition);
  const wanted = new Set(policy === undefined ? [] : fullTextKind.wanted(policy, definition));
  const condition =
    wanted.size === 0
      ? undefined
      : readTextCondition(prepared, parameters, {
          policy: containerSettings(definition).searchPolicy,
          computedProperties,
          isIndexed: (text) => wanted.has(fullTextKey(text)) && fullTextTable(container, text) === undefined,
        });
  const known = new Set(container.indexes.rows.filter(({ kind }) => kind === FULL_TEXT).map(({ key }) => key));
  const missed = new Map(
    (condition === undefined ? [] : textsOf(condition)).map((text) => [fullTextKey(text), text.path.join('/')] as const),
  );
  return [...missed].map(([key, path]) =>
    known.has(key)
      ? `the full text index of /${path} is not filled yet`
      : `the full text index of /${path} is not there, since this SQLite has no FTS5`,
  );
}
