import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { parseJson } from './cosmos-errors.ts';

/** One path of a composite index as the service names it. */
export interface CompositePath {
  readonly path: string;
  readonly order: 'ascending' | 'descending';
}

/** Indexes by kind: single ones as paths of an index policy (`/name/?`), composite ones as their parts. */
export interface MetricIndexes {
  readonly single: readonly string[];
  readonly composite: readonly (readonly CompositePath[])[];
}

/** What the service says of the indexes of a query. */
export interface IndexMetrics {
  readonly utilized: MetricIndexes;
  /** Those that would help and are not there. */
  readonly potential: MetricIndexes;
}

function decoded(header: string): unknown {
  const plain = parseJson(header);
  if (plain !== undefined) {
    return plain;
  }
  try {
    const unescaped = parseJson(decodeURIComponent(header));
    if (unescaped !== undefined) {
      return unescaped;
    }
  } catch {
    // A percent sign that escapes nothing.
  }
  return parseJson(Buffer.from(header, 'base64').toString('utf8'));
}

function entriesOf(list: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? (list as readonly JsonValue[]).filter((entry) => isJsonObject(entry)) : [];
}

function compositePath(spec: string): CompositePath {
  const [, path = spec, direction = 'ASC'] = /^(.*?)\s+(ASC|DESC)$/iu.exec(spec) ?? [];
  return { path, order: direction.toUpperCase() === 'DESC' ? 'descending' : 'ascending' };
}

function indexesOf(single: JsonValue | undefined, composite: JsonValue | undefined): MetricIndexes {
  return {
    single: entriesOf(single)
      .map((entry) => entry['IndexSpec'])
      .filter((spec) => typeof spec === 'string'),
    composite: entriesOf(composite)
      .map(({ IndexSpecs: specs }) => (Array.isArray(specs) ? (specs as readonly JsonValue[]) : []))
      .map((specs) => specs.filter((spec) => typeof spec === 'string').map(compositePath))
      .filter((paths) => paths.length > 0),
  };
}

/**
 * Reads the header `x-ms-cosmos-index-utilization`: JSON, as it is, percent-encoded or in base64, with its lists in groups
 * (`UtilizedIndexes.SingleIndexes`, what the SDK asks for) or without (`UtilizedSingleIndexes`, of older services).
 * `undefined` for what is none of these.
 */
export function parseIndexMetrics(header: string | undefined): IndexMetrics | undefined {
  const metrics = header === undefined || header === '' ? undefined : decoded(header);
  if (!isJsonObject(metrics)) {
    return undefined;
  }
  const group = (name: 'Utilized' | 'Potential'): MetricIndexes => {
    const grouped = metrics[`${name}Indexes`];
    return isJsonObject(grouped)
      ? indexesOf(grouped['SingleIndexes'], grouped['CompositeIndexes'])
      : indexesOf(metrics[`${name}SingleIndexes`], metrics[`${name}CompositeIndexes`]);
  };
  return { utilized: group('Utilized'), potential: group('Potential') };
}
