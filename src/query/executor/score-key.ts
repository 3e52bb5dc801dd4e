import type { CompileScope, Evaluate } from '../evaluator/compile-scope.ts';
import { textAnalyzer } from '../evaluator/search-calls.ts';
import { analyzerLanguage, type Analyzer } from '../functions/full-text/analyzer.ts';
import { bm25, type TextStatistics } from '../functions/full-text/bm25.ts';
import { countTerm, type SearchTerm } from '../functions/full-text/search-term.ts';
import { isSimilarity } from '../functions/vector/vector-distance.ts';
import { documentPath } from '../search/document-path.ts';
import { scoreTerms } from '../search/score-terms.ts';
import type { IndexedText } from '../search/text-condition.ts';
import { distanceFunctionOf, putsMissingLast } from '../search/vector-options.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import type { TextStatisticsSource } from './query-run.ts';

/** A number by which rows are ordered. It is never undefined: a row without a score has one beyond those of all others. */
export interface ScoreKey {
  readonly value: (frame: Parameters<Evaluate>[0]) => number;
  /** 1 where the smallest number fits best, -1 where the greatest does. */
  readonly direction: 1 | -1;
}

/** Finite, since a continuation token holds it as JSON. */
const WORST = Number.MAX_VALUE;

/**
 * The key of a call of VECTORDISTANCE: what is most alike first, unless a direction is given. A row without a distance is the worst where the
 * policy of the container knows the vectors, and where ranks are `fused`; elsewhere it comes before all numbers, as in any order.
 */
export function vectorKey(node: CallNode, scope: CompileScope, given?: 1 | -1, fused: boolean = false): ScoreKey {
  const { prepared, environment } = scope;
  const distance = distanceFunctionOf(node, prepared, environment.parameters, environment.searchPolicy);
  const direction = given ?? (isSimilarity(distance) ? -1 : 1);
  const missing = fused || putsMissingLast(node, prepared, environment.searchPolicy) ? direction * WORST : -WORST;
  const evaluate = scope.tools.expression(node, scope);
  return {
    direction,
    value: (frame) => {
      const value = evaluate(frame);
      return typeof value === 'number' ? value : missing;
    },
  };
}

/** A call of FULLTEXTSCORE taken apart, and what it needs to know of all texts. */
export class TextScore {
  readonly #text: Evaluate;
  readonly #analyze: Analyzer;
  readonly #terms: readonly SearchTerm[];
  /** The text at a path of the whole document, where that is what the call reads. */
  readonly #indexed: IndexedText | undefined;
  #given: TextStatistics | undefined;
  #documentCount = 0;
  #totalWordCount = 0;
  readonly #hitCounts: number[];

  /** @throws QUERY_INVALID (SC2241) for a parameter that holds no term */
  constructor(node: CallNode, scope: CompileScope) {
    const [text] = node.arguments;
    this.#text = scope.tools.expression(text as ExpressionNode, scope);
    this.#analyze = textAnalyzer(text, scope);
    this.#terms = scoreTerms(node, scope.prepared.text, scope.environment.parameters, this.#analyze);
    this.#hitCounts = this.#terms.map(() => 0);
    const path = text === undefined ? undefined : documentPath(scope.prepared, text);
    const names = path?.filter((step) => typeof step === 'string');
    // Rows that are parts of documents are counted as such.
    const isWhole = scope.rootSlots.size > 0 && names?.length === path?.length;
    const language = analyzerLanguage(scope.environment.searchPolicy.languageOf(path ?? []));
    this.#indexed = names === undefined || !isWhole ? undefined : { path: names, language };
  }

  /** Takes the statistics from an index, if there is one; whether the texts need no counting. */
  async ask(source: TextStatisticsSource | undefined): Promise<boolean> {
    this.#given = this.#indexed === undefined ? undefined : await source?.(this.#indexed, this.#terms);
    return this.#given !== undefined;
  }

  /** Counts the row in the frame. */
  count(frame: Parameters<Evaluate>[0]): void {
    this.#documentCount += 1;
    const text = this.#text(frame);
    if (typeof text !== 'string') {
      return;
    }
    const words = this.#analyze(text);
    this.#totalWordCount += words.length;
    for (const [index, term] of this.#terms.entries()) {
      this.#hitCounts[index] = (this.#hitCounts[index] ?? 0) + (countTerm(words, term) > 0 ? 1 : 0);
    }
  }

  /** The key, once every row of the container is counted. A row without a text comes behind those that have none of the terms. */
  key(): ScoreKey {
    const statistics: TextStatistics = this.#given ?? {
      documentCount: this.#documentCount,
      totalWordCount: this.#totalWordCount,
      hitCounts: this.#hitCounts,
    };
    return {
      direction: -1,
      value: (frame) => {
        const text = this.#text(frame);
        if (typeof text !== 'string') {
          return -WORST;
        }
        const words = this.#analyze(text);
        const counts = this.#terms.map((term) => countTerm(words, term));
        return bm25(counts, words.length, statistics);
      },
    };
  }
}
