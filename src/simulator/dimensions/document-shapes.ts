import type { JsonObject } from '../../core/json.ts';
import type { SchemaOptions } from '../../sync/form/schema-versions.ts';

/** The newest version of the documents that any program knows. */
export const NEWEST_VERSION = 3;

/** The title that a document gets by its migration. */
export function titleOf(text: unknown): string {
  return `of ${String(text)}`;
}

/** What a program of a version knows: version 2 gives documents a title, version 3 calls it a heading. */
export function schemaOf(version: number): SchemaOptions {
  const migrate: SchemaOptions['migrate'] = {
    2: (document) => ({ ...document, title: titleOf(document['text']) }),
    3: ({ title, ...rest }) => ({ ...rest, heading: title ?? null }),
  };
  return { version, migrate: Object.fromEntries(Object.entries(migrate).filter(([made]) => Number(made) <= version)) };
}

/** What a program of a version writes beside a text. */
export function shapeOf(version: number, text: string): JsonObject {
  switch (version) {
    case 1:
      return {};
    case 2:
      return { schemaVersion: 2, title: `by hand ${text}` };
    default:
      return { schemaVersion: version, heading: `by hand ${text}` };
  }
}

export function versionIn(document: JsonObject): number {
  return (document['schemaVersion'] as number | undefined) ?? 1;
}

/** The title in a document, whatever it is called; `null` in one of the first version. */
export function titleIn(document: JsonObject): string | null {
  const version = versionIn(document);
  return version === 1 ? null : (((version === 2 ? document['title'] : document['heading']) as string | null | undefined) ?? null);
}

/** Properties that a document of its version must not have. */
export function strayIn(document: JsonObject): string | undefined {
  const stray: readonly string[] = [['title', 'heading'], ['heading'], ['title']][versionIn(document) - 1] ?? [];
  return stray.find((name) => document[name] !== undefined);
}
