import { createHash } from 'node:crypto';
import { escapeText } from '../../../query/compile/postgres/nul-text.ts';
import { quoteName } from '../names.ts';

/** What PostgreSQL keeps of a name. */
const MAX_BYTES = 63;
const DIGEST_CHARACTERS = 16;
/** What a name that was cut ends with. */
const CUT = /~[0-9a-f]{16}$/u;

/** Where the view of a container lies. */
export interface ViewName {
  readonly schema: string;
  readonly view: string;
}

/**
 * An id as a name of PostgreSQL, of at most so many bytes. A longer one is cut and gets a digest, as does one that looks as if it had, so two ids never have
 * one name.
 */
function nameFrom(id: string, maxBytes: number): string {
  const text = escapeText(id);
  if (Buffer.byteLength(text) <= maxBytes && !CUT.test(text)) {
    return text;
  }
  const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGEST_CHARACTERS);
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > maxBytes - DIGEST_CHARACTERS - 1) {
      break;
    }
    kept += character;
  }
  return `${kept}~${digest}`;
}

/** The beginning of the names of all schemas of views; no schema of tables has the colon. */
export function viewSchemaPrefix(prefix: string): string {
  return `${prefix}:`;
}

/** The name of a container's view, made of the ids: `perigee:shop` and `orders`. */
export function viewName(prefix: string, databaseId: string, containerId: string): ViewName {
  const start = viewSchemaPrefix(prefix);
  return { schema: start + nameFrom(databaseId, MAX_BYTES - start.length), view: nameFrom(containerId, MAX_BYTES) };
}

/** As SQL writes it. */
export function quoteViewName({ schema, view }: ViewName): string {
  return `${quoteName(schema)}.${quoteName(view)}`;
}
