import type { JsonValue } from '../../core/json.ts';
import { conjunctsOf, isDocumentSource, readerOf } from '../compile/common/query-shape.ts';
import { rowsMayFail } from '../may-fail.ts';
import { analyzerLanguage, analyzerOf } from '../functions/full-text/analyzer.ts';
import { readTerm } from '../functions/full-text/search-term.ts';
import { leftSpine } from '../left-spine.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { CallNode, ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import { documentPath } from './document-path.ts';
import type { SearchPolicy } from './search-policy.ts';

/** Text that stands at a path of a document and is read by the rules of a language. */
export interface IndexedText {
  readonly path: readonly string[];
  readonly language: string;
}

/** What WHERE says of texts, as far as an index of words can tell: it holds for each document that passes, and for others. */
export type TextCondition =
  /** Each of the phrases stands in the text, or at least one; a phrase is words side by side. */
  | { readonly kind: 'phrases'; readonly every: boolean; readonly text: IndexedText; readonly phrases: readonly (readonly string[])[] }
  | { readonly kind: 'group'; readonly every: boolean; readonly conditions: readonly TextCondition[] };

/** More than these in one condition are left to the evaluator: they would be compiled into one statement. */
const MAX_PARTS = 64;

interface Reader {
  readonly prepared: PreparedQuery;
  readonly parameters: ReadonlyMap<string, JsonValue>;
  readonly policy: SearchPolicy;
  readonly computedProperties: ReadonlySet<string>;
  /** Whether there is an index for a text. */
  readonly isIndexed: (text: IndexedText) => boolean;
}

/** By name: whether all terms have to be there. */
const CALLS: ReadonlyMap<string, boolean> = new Map([
  ['FULLTEXTCONTAINS', true],
  ['FULLTEXT_CONTAINS', true],
  ['FULLTEXTCONTAINSALL', true],
  ['FULLTEXT_CONTAINS_ALL', true],
  ['FULLTEXTCONTAINSANY', false],
  ['FULLTEXT_CONTAINS_ANY', false],
]);

/** The text at a path of the policy that an expression reads; undefined for any other expression. */
export function indexedTextOf(
  node: ExpressionNode | undefined,
  { prepared, policy, computedProperties, isIndexed }: Omit<Reader, 'parameters'>,
): IndexedText | undefined {
  const path = node === undefined ? undefined : documentPath(prepared, node);
  const names = path?.filter((step) => typeof step === 'string');
  if (path === undefined || names?.length !== path.length || path.length === 0 || computedProperties.has(names[0] as string)) {
    return undefined;
  }
  const text = { path: names, language: analyzerLanguage(policy.languageOf(path)) };
  return isIndexed(text) ? text : undefined;
}

function readCall(node: CallNode, reader: Reader): TextCondition | undefined {
  const every = node.udf ? undefined : CALLS.get(node.name.toUpperCase());
  const text = every === undefined ? undefined : indexedTextOf(node.arguments[0], reader);
  if (every === undefined || text === undefined) {
    return undefined;
  }
  const terms = node.arguments.slice(1).map((argument) => {
    const value =
      argument.kind === 'literal' ? argument.value : argument.kind === 'parameter' ? reader.parameters.get(argument.name) : undefined;
    // A term that is not known here, or fuzzy, says nothing that the index could tell.
    return typeof value === 'string' ? readTerm(value, analyzerOf(text.language))?.words : undefined;
  });
  const phrases = terms.filter((words) => words !== undefined);
  if (terms.length > MAX_PARTS) {
    return undefined;
  }
  const isTold = every ? phrases.length > 0 : phrases.length === terms.length;
  return isTold ? { kind: 'phrases', every, text, phrases } : undefined;
}

function read(node: ExpressionNode, reader: Reader): TextCondition | undefined {
  if (node.kind === 'call') {
    return readCall(node, reader);
  }
  if (node.kind !== 'binary' || (node.operator !== 'AND' && node.operator !== 'OR')) {
    return undefined;
  }
  const { first, steps } = leftSpine(node);
  if (steps.length >= MAX_PARTS || steps.some((step) => step.node.operator !== node.operator)) {
    return undefined;
  }
  const all = [first, ...steps.map(({ operand }) => operand)].map((operand) => read(operand, reader));
  const conditions = all.filter((condition) => condition !== undefined);
  const every = node.operator === 'AND';
  const isTold = every ? conditions.length > 0 : conditions.length === all.length;
  return isTold ? { kind: 'group', every, conditions } : undefined;
}

/**
 * What WHERE says of texts that have an index; undefined where it says nothing, or where no document may be left out because rows of some may
 * fail.
 */
export function readTextCondition(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: Pick<Reader, 'policy' | 'computedProperties' | 'isIndexed'>,
): TextCondition | undefined {
  const query = readerOf(prepared.root);
  if (!isDocumentSource(query.sources[0]) || rowsMayFail(query.node)) {
    return undefined;
  }
  const reader: Reader = { ...options, prepared, parameters: new Map(parameters.map(({ name, value }) => [name, value] as const)) };
  const conditions = conjunctsOf(query.where)
    .map((node) => read(node, reader))
    .filter((condition) => condition !== undefined)
    .slice(0, MAX_PARTS);
  return conditions.length === 0 ? undefined : { kind: 'group', every: true, conditions };
}
