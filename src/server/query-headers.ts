import type { IncomingHttpHeaders } from 'node:http';
import { queryAdvice } from '../query/advice/query-advice.ts';
import type { IndexColumn } from '../query/access/index-definition.ts';
import { compositeSpec, indexSpec, queryIndexMetrics, type MetricIndexes } from '../query/explain/index-metrics.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { ContainerDefinition } from '../store/container-definition.ts';
import type { QueryBody } from './query-body.ts';
import { isTrue } from './wire-headers.ts';

/** Names in a query may be long; a client takes 16 KB of headers in all. */
const MAX_HEADER_LENGTH = 8 * 1024;
/** The service grades each index by how much it matters, and hardly ever says anything else. */
const IMPACT = 'High';

/** As many indexes as a header has room for, those in front first. */
function bounded({ single, composite }: MetricIndexes, entries: number): MetricIndexes {
  return { single: single.slice(0, entries), composite: composite.slice(0, Math.max(0, entries - single.length)) };
}

function compositeSpecs(columns: readonly IndexColumn[]): readonly string[] {
  return columns.map(compositeSpec);
}

type Write = (utilized: MetricIndexes, potential: MetricIndexes) => string;

/** What clients get that ask with `x-ms-cosmos-populateindexmetrics-V2`, as the JavaScript SDK 4.9 does: JSON, percent-encoded. */
const writeGrouped: Write = (utilized, potential) => {
  const group = ({ single, composite }: MetricIndexes, graded: object): object => ({
    SingleIndexes: single.map((path) => ({ IndexSpec: indexSpec(path), ...graded })),
    CompositeIndexes: composite.map((columns) => ({ IndexSpecs: compositeSpecs(columns), ...graded })),
  });
  const metrics = { UtilizedIndexes: group(utilized, {}), PotentialIndexes: group(potential, { IndexImpactScore: IMPACT }) };
  return encodeURIComponent(JSON.stringify(metrics));
};

/** What clients get that ask with `x-ms-cosmos-populateindexmetrics`: four lists in JSON, in base64. */
const writeLists: Write = (utilized, potential) => {
  const graded = { FilterPreciseSet: true, IndexPreciseSet: true, IndexImpactScore: IMPACT };
  const single = ({ single: paths }: MetricIndexes): object[] =>
    paths.map((path) => ({ FilterExpression: '', IndexSpec: indexSpec(path), ...graded }));
  const composite = ({ composite: indexes }: MetricIndexes): object[] =>
    indexes.map((columns) => ({ IndexSpecs: compositeSpecs(columns), ...graded }));
  const metrics = {
    UtilizedSingleIndexes: single(utilized),
    PotentialSingleIndexes: single(potential),
    UtilizedCompositeIndexes: composite(utilized),
    PotentialCompositeIndexes: composite(potential),
  };
  return Buffer.from(JSON.stringify(metrics)).toString('base64');
};

function indexMetricsText(query: QueryBody, definition: ContainerDefinition, write: Write): string {
  const { utilized, potential } = queryIndexMetrics(prepareQuery(query.query), query.parameters, definition);
  let text = write(utilized, potential);
  for (let entries = 64; text.length > MAX_HEADER_LENGTH; entries = Math.floor(entries / 2)) {
    text = write(bounded(utilized, entries), bounded(potential, entries));
  }
  return text;
}

/**
 * The headers on indexes and on how the query is written, where the client asks for them. Advice comes with the first page only, as from the
 * service, and not at all where there is none.
 */
export function queryHeaders(
  headers: IncomingHttpHeaders,
  query: QueryBody,
  definition: ContainerDefinition,
  isFirstPage: boolean,
): readonly string[] {
  const found: string[] = [];
  if (isTrue(headers, 'x-ms-cosmos-populateindexmetrics-v2')) {
    found.push('x-ms-cosmos-index-utilization', indexMetricsText(query, definition, writeGrouped));
  } else if (isTrue(headers, 'x-ms-cosmos-populateindexmetrics')) {
    found.push('x-ms-cosmos-index-utilization', indexMetricsText(query, definition, writeLists));
  }
  if (isFirstPage && isTrue(headers, 'x-ms-cosmos-populatequeryadvice')) {
    const advice = queryAdvice(prepareQuery(query.query));
    if (advice.length > 0) {
      found.push('x-ms-cosmos-query-advice', encodeURIComponent(JSON.stringify(advice)));
    }
  }
  return found;
}
