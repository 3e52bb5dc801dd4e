import type { ContainerDefinition } from '../../store/container-definition.ts';
import { pathText, type IndexColumn } from '../access/index-definition.ts';
import { readConditions } from '../access/query-conditions.ts';
import { containerSettings, type ContainerSettings } from '../container-settings.ts';
import type { CompositePart } from '../index-policy/index-policy.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { filteredPaths, orderedPaths } from './indexed-paths.ts';

/** Indexes by kind: single ones as paths of an index policy, composite ones by their columns. */
export interface MetricIndexes {
  readonly single: readonly (readonly string[])[];
  readonly composite: readonly (readonly IndexColumn[])[];
}

/** Which indexes of the policy serve a query, and which ones would help that are not in it. */
export interface QueryIndexMetrics {
  readonly utilized: MetricIndexes;
  readonly potential: MetricIndexes;
}

/** A composite index in a policy has so many columns at most. */
const MAX_COLUMNS = 8;

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}

function ascending(path: readonly string[]): IndexColumn {
  return { path, descending: false };
}

/** A composite index that a query asks for: the columns in front in any sequence, those behind as they are or all turned around. */
interface WantedComposite {
  readonly fixed: readonly (readonly string[])[];
  readonly rest: readonly IndexColumn[];
}

function serves(composite: readonly CompositePart[], { fixed, rest }: WantedComposite): boolean {
  const front = new Set(composite.slice(0, fixed.length).map(({ path }) => keyOf(path)));
  const behind = composite.slice(fixed.length);
  if (composite.length !== fixed.length + rest.length || !fixed.every((path) => front.has(keyOf(path)))) {
    return false;
  }
  const turned = behind.map(({ descending }, at) => descending !== rest[at]?.descending);
  return behind.every(({ path }, at) => keyOf(path) === keyOf(rest[at]?.path ?? [])) && turned.every((one) => one === turned[0]);
}

/**
 * The composite indexes that the service looks for: known values before one range, known values before the order, an order of several keys,
 * and the keys of GROUP BY where the values of all of them are known.
 */
function wantedComposites(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  { computedProperties }: ContainerSettings,
): readonly WantedComposite[] {
  const conditions = readConditions(prepared, parameters, new Set(computedProperties.map(({ name }) => name)));
  const all = [...(conditions?.paths.values() ?? [])];
  const equal = all.filter(({ constraint }) => constraint.kind === 'values').map(({ path }) => path);
  const ranges = all.filter(({ constraint }) => constraint.kind === 'range').map(({ path }) => path);
  const [range] = ranges;
  const order = (conditions?.order ?? []).filter(({ path }) => !equal.some((one) => keyOf(one) === keyOf(path)));
  const wanted: WantedComposite[] = [];
  if (order.length > 0) {
    wanted.push({ fixed: equal, rest: order });
  } else if (range !== undefined && ranges.length === 1) {
    wanted.push({ fixed: equal, rest: [ascending(range)] });
  } else if (range === undefined && equal.length > 1) {
    const grouped = new Set(orderedPaths(prepared, prepared.root.groupBy ?? []).map(keyOf));
    if (equal.every((path) => grouped.has(keyOf(path)))) {
      wanted.push({ fixed: equal, rest: [] });
    }
  }
  return wanted.filter(({ fixed, rest }) => fixed.length + rest.length > 1 && fixed.length + rest.length <= MAX_COLUMNS);
}

/**
 * What the service's index metrics say of a query: the indexes of the container's policy that its filter and its order use, and those that
 * would serve it and are not there. It follows from the text, the parameters and the policy; whether a store has built an index plays no part.
 *
 * Single indexes come in the service's sequence, the last one of the text first. Of paths that a composite index serves the single ones are
 * left out.
 *
 * @throws QUERY_INVALID for a bad value of TOP, OFFSET or LIMIT
 */
export function queryIndexMetrics(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  definition: ContainerDefinition,
): QueryIndexMetrics {
  const settings = containerSettings(definition);
  const used: (readonly IndexColumn[])[] = [];
  const missing: (readonly IndexColumn[])[] = [];
  for (const wanted of wantedComposites(prepared, parameters, settings)) {
    const composite = settings.policy.composites.find((one) => serves(one, wanted));
    if (composite === undefined) {
      missing.push([...wanted.fixed.map(ascending), ...wanted.rest]);
    } else {
      used.push(composite);
    }
  }
  const covered = new Set(used.flatMap((columns) => columns.map(({ path }) => keyOf(path))));
  const { orderBy, rank } = prepared.root;
  const sorted = rank === undefined ? orderBy.map(({ expression }) => expression) : [];
  const paths = new Map([...filteredPaths(prepared), ...orderedPaths(prepared, sorted)].map((path) => [keyOf(path), path]));
  const single = [...paths.entries()].filter(([key]) => !covered.has(key)).map(([, path]) => path);
  const inTurn = single.toReversed();
  return {
    utilized: { single: inTurn.filter((path) => settings.isIndexed(path)), composite: used },
    potential: { single: inTurn.filter((path) => !settings.isIndexed(path)), composite: missing },
  };
}

/** A path as the index metrics write it: `/tags/[]/?`. */
export function indexSpec(path: readonly string[]): string {
  return `${path.map((name) => (name === '[]' ? '/[]' : pathText([name]))).join('')}/?`;
}

/** A column of a composite index as the index metrics write it: `/name ASC`. */
export function compositeSpec({ path, descending }: IndexColumn): string {
  return `${pathText(path)} ${descending ? 'DESC' : 'ASC'}`;
}
