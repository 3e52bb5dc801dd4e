import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import { readWireKey } from '../partition-key-json.ts';

/** What a request asks a token for. */
export interface TokenDemand {
  readonly database: string | undefined;
  readonly container: string;
  readonly partitionKey: PartitionKey | undefined;
  readonly mode: 'read' | 'all';
}

const FORM = 'Send a JSON object with "container", and "partitionKey" and "mode" ("read" or "all") as you need them.';

function bad(what: string): PerigeeError {
  return new PerigeeError('BAD_REQUEST', `${what} ${FORM}`);
}

/** Reads the body of a request, or what something before has made of it. @throws BAD_REQUEST */
export function readDemand(body: unknown): TokenDemand {
  let value = body;
  if (typeof body === 'string') {
    try {
      value = JSON.parse(body) as unknown;
    } catch {
      throw bad('The body is not JSON.');
    }
  }
  if (!isJsonObject(value)) {
    throw bad('The body is no object.');
  }
  const { database, container, partitionKey, mode = 'read' } = value;
  if (database !== undefined && typeof database !== 'string') {
    throw bad('"database" is no string.');
  }
  if (typeof container !== 'string') {
    throw bad('"container" is no string.');
  }
  if (mode !== 'read' && mode !== 'all') {
    throw bad('"mode" is neither "read" nor "all".');
  }
  return { database, container, partitionKey: partitionKey === undefined ? undefined : readWireKey(partitionKey), mode };
}
