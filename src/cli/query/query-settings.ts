import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';
import { FORMAT_NAMES, type FormatName } from './result-format.ts';

/** A parameter of a query; `name` includes the `@`. */
export interface NamedValue {
  readonly name: string;
  readonly value: JsonValue;
}

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message);
}

/** `undefined` where a text is no JSON. */
function tryJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const PARAMETER = /^@?([A-Za-z0-9_]+)=(.*)$/su;

/** Reads `name=json` or `@name=json`. The value may be anybody's secret, so no message repeats it. @throws INVALID_OPTION */
export function parseParameter(text: string): NamedValue {
  const [, name, json = ''] = PARAMETER.exec(text) ?? [];
  if (name === undefined) {
    throw invalid('Cannot read a parameter: write --param name=json, such as --param age=42. The name has letters, digits and "_".');
  }
  const value = tryJson(json);
  if (value === undefined) {
    throw invalid(`Cannot read the parameter "@${name}": its value is not JSON. A string needs quotes: --param '${name}="…"'.`);
  }
  return { name: `@${name}`, value };
}

/** Reads every `--param`. @throws INVALID_OPTION, also for a name that is given twice */
export function parseParameters(texts: readonly string[]): readonly NamedValue[] {
  const parameters = texts.map(parseParameter);
  const names = parameters.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw invalid(`Cannot run the query: the parameter "${twice}" is given twice.`);
  }
  return parameters;
}

/** Reads `--partition-key`: a string, number, boolean or null, or an array of them for hierarchical keys. @throws INVALID_OPTION */
export function parsePartitionKey(text: string): PartitionKeyInput {
  const value = tryJson(text);
  const components = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  if (!components.every((component) => component === null || ['string', 'number', 'boolean'].includes(typeof component))) {
    throw invalid(
      `Cannot read the partition key: write it as JSON, such as '"ada"' with both kinds of quotes, 42, null, or '["ada", 7]' for several paths.`,
    );
  }
  return components as PartitionKeyInput;
}

/** @throws INVALID_OPTION */
export function parseFormat(text: string): FormatName {
  const format = FORMAT_NAMES.find((name) => name === text);
  if (format === undefined) {
    throw invalid(`Cannot write results as ${JSON.stringify(text)}: the formats are ${FORMAT_NAMES.join(', ')}.`);
  }
  return format;
}

/** What a format that somebody chose means for results, and for explanations. */
export function formatSettings(format: FormatName): { readonly format: FormatName; readonly explainAs: 'text' | 'json' | 'ndjson' } {
  return { format, explainAs: format === 'json' || format === 'ndjson' ? format : 'text' };
}

/** Reads `--max`. @throws INVALID_OPTION */
export function parseMax(text: string): number {
  const max = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(max) || max < 1) {
    throw invalid(`Cannot stop after ${JSON.stringify(text)} items: --max is a whole number from 1.`);
  }
  return max;
}
