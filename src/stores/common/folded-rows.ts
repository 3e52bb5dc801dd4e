import { setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { SourceRow } from '../../query/executor/query-source.ts';
import type { ResultContainer } from './store-results.ts';

/** Stands for "undefined" in a text of values: no document holds a number that is not finite. */
export const UNDEFINED_TEXT = '9e999';

/** Rows of a statement in one row: for each column one text with its values in all of them, with commas between, which is parsed in one go. */
export type FoldedRow = Readonly<Record<string, unknown>>;

/** Properties that were cut out of documents, in the columns `p0`, `p1`, … of a {@link FoldedRow}. */
export interface CutProperties {
  readonly paths: readonly (readonly string[])[];
  readonly readsSystemProperties: boolean;
}

type Container = Pick<ResultContainer, 'systemProperties'>;

/** The values in a column of a {@link FoldedRow}. */
export function valuesOf(row: FoldedRow, name: string): readonly JsonValue[] {
  const text = row[name];
  return typeof text === 'string' ? (JSON.parse(`[${text}]`) as JsonValue[]) : [];
}

/** Puts what stands at some paths of a document into a document that has nothing else. */
type Build = (values: readonly JsonValue[]) => JsonObject;

/** `paths` are those that begin with the same names, of which `depth` were followed; `places` are their places among the values. */
function builder(paths: readonly (readonly string[])[], places: readonly number[], depth: number): Build {
  const members = [...new Set(paths.map((path) => path[depth] as string))].map((name) => {
    const among = paths.flatMap((path, index) => (path[depth] === name ? [index] : []));
    const [first] = among as [number];
    const place = (paths[first] as readonly string[]).length === depth + 1 ? (places[first] as number) : undefined;
    const below = (): Build =>
      builder(
        among.map((index) => paths[index] as readonly string[]),
        among.map((index) => places[index] as number),
        depth + 1,
      );
    return { name, place, build: place === undefined ? below() : undefined, isPlain: name !== '__proto__' };
  });
  return (values) => {
    const object: Record<string, JsonValue> = {};
    for (const { name, place, build, isPlain } of members) {
      const value = build === undefined ? (values[place as number] as JsonValue) : build(values);
      if (value === Number.POSITIVE_INFINITY) {
        continue;
      }
      if (isPlain) {
        object[name] = value;
      } else {
        setOwn(object, name, value);
      }
    }
    return object;
  };
}

/** Makes documents of a folded slice: its columns are `ordinals`, and where system properties are read `positions` and `times`. */
export function unfolder(container: Container, { paths, readsSystemProperties }: CutProperties): (row: FoldedRow) => SourceRow[] {
  const build = builder(paths, [...paths.keys()], 0);
  return (row) => {
    const ordinals = valuesOf(row, 'ordinals') as readonly number[];
    const positions = readsSystemProperties ? (valuesOf(row, 'positions') as readonly number[]) : [];
    const times = readsSystemProperties ? (valuesOf(row, 'times') as readonly number[]) : [];
    const columns = paths.map((_, index) => valuesOf(row, `p${index}`));
    const values: JsonValue[] = [];
    return ordinals.map((ordinal, at) => {
      for (let index = 0; index < columns.length; index += 1) {
        values[index] = (columns[index] as readonly JsonValue[])[at] as JsonValue;
      }
      const document = build(values);
      if (readsSystemProperties) {
        Object.assign(document, container.systemProperties(ordinal, positions[at] as number, times[at] as number));
      }
      return { ordinal, document };
    });
  };
}

/** Makes whole documents of a folded slice, whose texts are in the column `bodies`. */
export function wholeUnfolder(container: Container): (row: FoldedRow) => SourceRow[] {
  return (row) => {
    const ordinals = valuesOf(row, 'ordinals') as readonly number[];
    const positions = valuesOf(row, 'positions') as readonly number[];
    const times = valuesOf(row, 'times') as readonly number[];
    return (valuesOf(row, 'bodies') as readonly JsonObject[]).map((body, at) => {
      const ordinal = ordinals[at] as number;
      return { ordinal, document: Object.assign(body, container.systemProperties(ordinal, positions[at] as number, times[at] as number)) };
    });
  };
}
