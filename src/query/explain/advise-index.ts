import type { IndexAdvice, IndexTrial, PlannedAccess } from '../../store/query-explanation.ts';
import type { AccessPath } from '../access/access-path.ts';
import { chooseAccess, type AccessOptions } from '../access/choose-access.ts';
import { indexKey, indexText, type IndexColumn, type IndexDefinition } from '../access/index-definition.ts';
import { readConditions } from '../access/query-conditions.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { queryCounts } from '../query-counts.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { entriesQuery, type CountQuery } from './entries-query.ts';
import { indexCandidates } from './index-candidates.ts';
import { policyPiece } from './policy-piece.ts';

/** What a store says of a query, to be told which index would help. */
export interface AdviceQuestion {
  readonly prepared: PreparedQuery;
  readonly parameters: readonly QueryParameter[];
  /** Indexes that exist. */
  readonly indexes: readonly IndexDefinition[];
  /** As they were given to the planner. */
  readonly options: AccessOptions;
  /** How the query ran. */
  readonly before: PlannedAccess;
  /** Whether the store can have an index of these columns. */
  canIndex(columns: readonly IndexColumn[]): boolean;
  /** Whether the store uses an access that reads so many entries. */
  accepts(access: AccessPath, entries: number): boolean;
  /** Runs a query that counts. */
  count(query: CountQuery): Promise<number>;
  /** Makes an index for a moment and measures what it does; `unused` where the engine has no use for it, undefined where it cannot be tried. */
  readonly tryOut?: ((access: AccessPath) => Promise<IndexTrial | 'unused' | undefined>) | undefined;
}

/** A query that looks at fewer documents is quick as it is. */
const MIN_LOOKED_AT = 100;
/** An index costs every write; it has to leave out at least this part of the documents that are looked at. */
const MIN_GAIN = 0.5;
/** Candidates whose entries are counted, which takes a scan for each. */
const MAX_COUNTED = 4;
/** A composite index has to be so much better than a single one, and is not needed where that leads to few documents. */
const COMPOSITE_GAIN = 0.5;
const FEW = 50;

/** A candidate that the planner took. */
interface Taken {
  readonly access: AccessPath;
  /** Documents to look at, at most. */
  readonly lookedAt: number;
}

/** Candidates that are tried out, which takes making an index for each. */
const MAX_TRIALS = 2;

const CANDIDATE_NAME = '(advice)';

/** How many documents are read: of an order that WHERE does not cut short, only those that are wanted. */
function lookedAt(question: AdviceQuestion, { order, coversFilter }: AccessPath, entries: number): number {
  const { top, limit, offset } = queryCounts(question.prepared, question.parameters);
  const wanted = top ?? limit;
  return order === undefined || !coversFilter || wanted === undefined ? entries : Math.min(entries, wanted + (offset ?? 0));
}

/** Counts the entries of an access; candidates that differ in their order alone have the same. */
async function countEntries(question: AdviceQuestion, access: AccessPath, counts: Map<string, number>): Promise<number | undefined> {
  const counting = entriesQuery(access);
  if (counting === undefined) {
    return undefined;
  }
  const key = JSON.stringify([counting.query, counting.parameters.map(({ value }) => value)]);
  const count = counts.get(key) ?? (await question.count(counting));
  counts.set(key, count);
  return count;
}

/** Whether two ways through the candidate read the same entries, in whatever order. */
function readsSame(one: AccessPath, other: AccessPath): boolean {
  const isSameRange = (one.range === undefined) === (other.range === undefined);
  return one.index.name === CANDIDATE_NAME && one.equal.length === other.equal.length && isSameRange;
}

/** Asks the planner, first as it estimates, then with what there is. */
async function tryCandidate(question: AdviceQuestion, access: AccessPath, counts: Map<string, number>): Promise<Taken | undefined> {
  const { prepared, parameters, indexes, options } = question;
  const entries = await countEntries(question, access, counts);
  if (entries === undefined) {
    return undefined;
  }
  const estimate = (one: AccessPath): number | undefined => (readsSame(one, access) ? entries : options.estimate?.(one));
  const again = chooseAccess(prepared, parameters, [...indexes, access.index], { ...options, estimate });
  return again !== undefined && readsSame(again, access) && question.accepts(again, entries)
    ? { access: again, lookedAt: lookedAt(question, again, entries) }
    : undefined;
}

function adviceOf({ access, lookedAt: documentsScanned }: Taken, before: PlannedAccess, trial: IndexTrial | undefined): IndexAdvice {
  const { columns } = access.index;
  const isSingle = columns.length === 1;
  const text = indexText(access.index);
  const serves = [
    ...(access.equal.length > 0 || access.range !== undefined ? ['the filter'] : []),
    ...(access.order === undefined ? [] : ['the order']),
  ];
  return {
    kind: isSingle ? 'single' : 'composite',
    policy: policyPiece(columns),
    reason: `${isSingle ? 'an index' : 'a composite index'} on ${text} would serve ${serves.join(' and ')}.`,
    provenBy: trial === undefined ? 'planner' : 'trial',
    before,
    after: { access: 'index', index: text, documentsScanned },
    ...(trial === undefined ? {} : { trial }),
  };
}

/**
 * The index that would help a query most, proved by planning again as if it were there; none where the planner would not use one, or where it would
 * save less than half of the documents looked at. A single index is preferred to a composite one that is not much better.
 */
export async function adviseIndex(question: AdviceQuestion): Promise<readonly IndexAdvice[]> {
  const { prepared, parameters, indexes, options, before } = question;
  const now = before.documentsScanned ?? 0;
  const conditions =
    now < MIN_LOOKED_AT ? undefined : readConditions(prepared, parameters, options.computedProperties ?? new Set(), options.known);
  if (conditions === undefined) {
    return [];
  }
  const existing = new Set(indexes.map(({ columns }) => indexKey(columns)));
  const chosen: AccessPath[] = [];
  for (const columns of indexCandidates(conditions)) {
    if (!existing.has(indexKey(columns)) && question.canIndex(columns)) {
      const access = chooseAccess(prepared, parameters, [...indexes, { name: CANDIDATE_NAME, columns }], options);
      if (access?.index.name === CANDIDATE_NAME) {
        chosen.push(access);
      }
    }
  }
  const promising = chosen.toSorted((left, right) => left.expectedRows - right.expectedRows);
  const taken: Taken[] = [];
  const counts = new Map<string, number>();
  for (const access of pickEach(promising)) {
    const one = await tryCandidate(question, access, counts);
    if (one !== undefined && one.lookedAt <= now * (1 - MIN_GAIN)) {
      taken.push(one);
    }
  }
  for (let trials = 0; taken.length > 0 && trials < MAX_TRIALS; trials += 1) {
    const winner = winnerOf(taken) as Taken;
    const trial = await question.tryOut?.(winner.access);
    if (trial !== 'unused') {
      return [adviceOf(winner, before, trial)];
    }
    taken.splice(taken.indexOf(winner), 1);
  }
  return [];
}

/** The candidate that is best, a single one where a composite one is not much better. */
function winnerOf(taken: readonly Taken[]): Taken | undefined {
  const best = (some: readonly Taken[]): Taken | undefined =>
    some.toSorted(
      (left, right) => left.lookedAt - right.lookedAt || left.access.index.columns.length - right.access.index.columns.length,
    )[0];
  const single = best(taken.filter(({ access }) => access.index.columns.length === 1));
  const any = best(taken);
  return single !== undefined && any !== undefined && (single.lookedAt <= FEW || any.lookedAt > single.lookedAt * COMPOSITE_GAIN)
    ? single
    : any;
}

/** Some that serve the filter, and some that serve the order: the most promising of both. */
function pickEach(accesses: readonly AccessPath[]): readonly AccessPath[] {
  const filters = accesses.filter(({ order }) => order === undefined).slice(0, MAX_COUNTED);
  const orders = accesses.filter(({ order }) => order !== undefined).slice(0, MAX_COUNTED);
  return [...filters, ...orders];
}

/** What makes a query quicker, then what Cosmos DB refuses it without; a policy that is both is told once. */
export function joinAdvice(helpful: readonly IndexAdvice[], needed: readonly IndexAdvice[]): readonly IndexAdvice[] {
  const texts = new Set(helpful.map(({ policy }) => JSON.stringify(policy)));
  return [...helpful, ...needed.filter(({ policy }) => !texts.has(JSON.stringify(policy)))];
}
