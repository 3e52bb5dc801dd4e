import type { JsonValue } from '../../core/json.ts';
import { analyzerOf, type Analyzer } from '../functions/full-text/analyzer.ts';
import { bm25 } from '../functions/full-text/bm25.ts';
import { countTerm, hasTerm, readTerm, type SearchTerm } from '../functions/full-text/search-term.ts';
import { readVector, vectorDistance } from '../functions/vector/vector-distance.ts';
import { documentPath } from '../search/document-path.ts';
import { distanceFunctionOf } from '../search/vector-options.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import { operandsOf } from '../walk.ts';
import { constantOf, type CompileScope, type Evaluate } from './compile-scope.ts';

/** Compiles a call whose meaning depends on the container's policies, and its constant arguments once. */
export type CompileSearchCall = (node: CallNode, values: readonly Evaluate[], scope: CompileScope) => Evaluate;

/** The analyzer for the text that an expression reads: that of its path in the container's policy. */
export function textAnalyzer(node: ExpressionNode | undefined, { prepared, environment }: CompileScope): Analyzer {
  const path = node === undefined ? undefined : documentPath(prepared, node);
  return analyzerOf(environment.searchPolicy.languageOf(path ?? []));
}

function isConstant(node: ExpressionNode, scope: CompileScope): boolean {
  const isComposed = node.kind === 'array' || node.kind === 'object';
  return isComposed ? operandsOf(node).every((operand) => isConstant(operand, scope)) : constantOf(node, scope) !== undefined;
}

/** The value of an argument as `read` gives it: read once where the argument is constant. */
export function compileRead<T>(
  node: ExpressionNode | undefined,
  value: Evaluate | undefined,
  scope: CompileScope,
  read: (value: JsonValue | undefined) => T | undefined,
): (frame: Parameters<Evaluate>[0]) => T | undefined {
  if (node === undefined || value === undefined) {
    return () => undefined;
  }
  if (isConstant(node, scope)) {
    const constant = read(value([]));
    return () => constant;
  }
  return (frame) => read(value(frame));
}

/** `FULLTEXTCONTAINSALL` (`decisive` false) and `FULLTEXTCONTAINSANY` (`decisive` true); with one term they are the same. */
function compileContains(decisive: boolean): CompileSearchCall {
  return (node, [text, ...terms], scope) => {
    const analyze = textAnalyzer(node.arguments[0], scope);
    const reads = terms.map((value, index) => compileRead(node.arguments[index + 1], value, scope, (term) => readTerm(term, analyze)));
    return (frame) => {
      const given = text?.(frame);
      const wanted = reads.map((read) => read(frame));
      if (typeof given !== 'string' || wanted.includes(undefined)) {
        return undefined;
      }
      const words = analyze(given);
      for (const term of wanted) {
        if (hasTerm(words, term as SearchTerm) === decisive) {
          return decisive;
        }
      }
      return !decisive;
    };
  };
}

const compileWordCount: CompileSearchCall = (node, [text], scope) => {
  const analyze = textAnalyzer(node.arguments[0], scope);
  return (frame) => {
    const given = text?.(frame);
    return typeof given === 'string' ? analyze(given).length : undefined;
  };
};

function readTerms(value: JsonValue | undefined, analyze: Analyzer): readonly SearchTerm[] | undefined {
  const terms = (Array.isArray(value) ? value : [value]).map((item: JsonValue | undefined) => readTerm(item, analyze));
  return terms.includes(undefined) ? undefined : (terms as readonly SearchTerm[]);
}

function readCount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

function readCounts(value: JsonValue | undefined): readonly number[] | undefined {
  const counts = Array.isArray(value) ? value.map(readCount) : [undefined];
  return counts.includes(undefined) ? undefined : (counts as readonly number[]);
}

/** `_FullTextScore(text, terms, documentCount, totalWordCount, hitCounts)`, with the statistics that a client has added up. */
const compileGivenScore: CompileSearchCall = (node, [text, terms, ...statistics], scope) => {
  const analyze = textAnalyzer(node.arguments[0], scope);
  const readAt = <T>(
    index: number,
    read: (value: JsonValue | undefined) => T | undefined,
  ): ((frame: Parameters<Evaluate>[0]) => T | undefined) => compileRead(node.arguments[index], statistics[index - 2], scope, read);
  const wanted = compileRead(node.arguments[1], terms, scope, (value) => readTerms(value, analyze));
  const [documents, words, hits] = [readAt(2, readCount), readAt(3, readCount), readAt(4, readCounts)];
  return (frame) => {
    const given = text?.(frame);
    const [found, documentCount, totalWordCount, hitCounts] = [wanted(frame), documents(frame), words(frame), hits(frame)];
    if (
      typeof given !== 'string' ||
      found === undefined ||
      documentCount === undefined ||
      totalWordCount === undefined ||
      hitCounts === undefined
    ) {
      return undefined;
    }
    const inText = analyze(given);
    const counts = found.map((term) => countTerm(inText, term));
    return bm25(counts, inText.length, { documentCount, totalWordCount, hitCounts });
  };
};

/** VECTORDISTANCE(first, second[, bruteForce[, options]]). The evaluator has no approximate index, so brute force or not is the same to it. */
const compileVectorDistance: CompileSearchCall = (node, [first, second, bruteForce], scope) => {
  const { prepared, environment } = scope;
  const distance = distanceFunctionOf(node, prepared, environment.parameters, environment.searchPolicy);
  const left = compileRead(node.arguments[0], first, scope, readVector);
  const right = compileRead(node.arguments[1], second, scope, readVector);
  return (frame) => {
    if (bruteForce !== undefined && typeof bruteForce(frame) !== 'boolean') {
      return undefined;
    }
    const [one, other] = [left(frame), right(frame)];
    return one === undefined || other === undefined ? undefined : vectorDistance(one, other, distance);
  };
};

/** The functions that are compiled here, by name. */
export const SEARCH_CALLS: ReadonlyMap<string, CompileSearchCall> = new Map([
  ['FULLTEXTCONTAINS', compileContains(true)],
  ['FULLTEXTCONTAINSALL', compileContains(false)],
  ['FULLTEXTCONTAINSANY', compileContains(true)],
  ['VECTORDISTANCE', compileVectorDistance],
  ['_FULLTEXTSCORE', compileGivenScore],
  ['_FULLTEXTWORDCOUNT', compileWordCount],
]);
