import { setOwn, type JsonObject } from '../core/json.ts';
import type { ContainerDefinition } from '../store/container-definition.ts';
import { expiresAtSeconds } from '../store/write-rules.ts';

/** What becomes of a time to live: it starts again with the copy, or what is left of it is written into the document's `ttl`. */
export type CopyTimeToLive = 'restart' | 'remaining';

/** A document as it is to be written so that it expires when its original does; `undefined` when that is now. */
export function withRemainingLife(document: JsonObject, definition: ContainerDefinition, nowSeconds: number): JsonObject | undefined {
  const { ttl, _ts: ts } = document;
  const own = typeof ttl === 'number' ? ttl : undefined;
  const end = typeof ts === 'number' ? expiresAtSeconds(ts, own, definition.defaultTtl) : undefined;
  if (end === undefined) {
    return document;
  }
  if (end <= nowSeconds) {
    return undefined;
  }
  const copy = {};
  for (const key of Object.keys(document)) {
    setOwn(copy, key, document[key]);
  }
  setOwn(copy, 'ttl', end - nowSeconds);
  return copy;
}

/** What a person should know of the documents' time to live before they are copied; `undefined` where there is nothing. */
export function describeTimeToLive(definition: ContainerDefinition, policy: CopyTimeToLive): string | undefined {
  const { defaultTtl, id } = definition;
  if (defaultTtl === undefined) {
    return undefined;
  }
  const which = defaultTtl === -1 ? 'Documents with a ttl of their own' : `Documents (${defaultTtl} s unless they say otherwise)`;
  return policy === 'restart'
    ? `${which} in ${JSON.stringify(id)} expire: their time starts again when they are copied, so a copy lives longer than its original. Choose "remaining" to keep their end.`
    : `${which} in ${JSON.stringify(id)} expire: the rest of their time is written into the ttl of each copy, which then differs from its original in that.`;
}
