import { ANALYZER_FORM, analyzerLanguage, analyzerOf } from '../../../query/functions/full-text/analyzer.ts';
import { searchPolicyOf } from '../../../query/search/search-policy.ts';
import type { IndexedText } from '../../../query/search/text-condition.ts';
import { valueAtPath } from '../../../store/partition-key.ts';
import { get, run, type Program } from '../driver.ts';
import type { MaintainedIndex, MaintainedIndexKind } from './maintained-index.ts';

/** Name of the kind in the catalogue. */
export const FULL_TEXT = 'full-text';

/** The catalogue's key of an index: the same text exactly for the same path and language. */
export function fullTextKey({ path, language }: IndexedText): string {
  return JSON.stringify({ path, language });
}

function readKey(key: string): IndexedText {
  return JSON.parse(key) as IndexedText;
}

/** The FTS5 table of an index: words as the analyzer gives them, a blank between two. */
export function wordsTable(table: string): string {
  return `${table}_words`;
}

/** How many words the text of each document has. */
export function countsTable(table: string): string {
  return `${table}_counts`;
}

/**
 * FTS5 sees the words of our analyzer only, and gives each back as it is: they hold letters, digits and marks, which the tokenizer `ascii` takes
 * as they are above 127, and these signs. So a phrase of words matches where the evaluator finds it, and nowhere else.
 */
const TOKENIZER = `"ascii tokenchars '''.:,;_'"`;

class FullTextIndex implements MaintainedIndex {
  readonly #table: string;
  readonly #text: IndexedText;

  constructor(table: string, text: IndexedText) {
    this.#table = table;
    this.#text = text;
  }

  *create(): Program<void> {
    yield* run(
      `CREATE VIRTUAL TABLE ${wordsTable(this.#table)} USING fts5(words, content = '', contentless_delete = 1, tokenize = ${TOKENIZER})`,
    );
    yield* run(`CREATE TABLE ${countsTable(this.#table)} (ordinal INTEGER PRIMARY KEY, words INTEGER NOT NULL)`);
  }

  *drop(): Program<void> {
    yield* run(`DROP TABLE IF EXISTS ${wordsTable(this.#table)}`);
    yield* run(`DROP TABLE IF EXISTS ${countsTable(this.#table)}`);
  }

  *put({ ordinal, value }: Parameters<MaintainedIndex['put']>[0], isNew: boolean): Program<void> {
    const text = valueAtPath(value, this.#text.path);
    const words = typeof text === 'string' ? analyzerOf(this.#text.language)(text) : [];
    if (words.length > 0) {
      yield* run(`INSERT OR REPLACE INTO ${wordsTable(this.#table)} (rowid, words) VALUES (?, ?)`, ordinal, words.join(' '));
      yield* run(`INSERT OR REPLACE INTO ${countsTable(this.#table)} (ordinal, words) VALUES (?, ?)`, ordinal, words.length);
    } else if (!isNew) {
      yield* this.remove(ordinal);
    }
  }

  *remove(ordinal: number): Program<void> {
    const known = yield* run(`DELETE FROM ${countsTable(this.#table)} WHERE ordinal = ?`, ordinal);
    if (known > 0) {
      yield* run(`DELETE FROM ${wordsTable(this.#table)} WHERE rowid = ?`, ordinal);
    }
  }
}

/** An FTS5 table for each path of `fullTextIndexes`. */
export const fullTextKind: MaintainedIndexKind = {
  kind: FULL_TEXT,
  form: `fts5, ${ANALYZER_FORM}`,
  wanted: (policy, definition) => [
    ...new Set(
      policy.fullText
        .filter(({ path }) => !definition.computedProperties.some(({ name }) => name === path[0]))
        .map(({ path }) => fullTextKey({ path, language: analyzerLanguage(searchPolicyOf(definition).languageOf(path)) })),
    ),
  ],
  *isAvailable() {
    const row = yield* get<{ n: number }>("SELECT count(*) AS n FROM pragma_module_list WHERE name = 'fts5'");
    return row !== undefined && row.n > 0;
  },
  open: (table, key) => new FullTextIndex(table, readKey(key)),
};
