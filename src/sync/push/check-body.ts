import { PerigeeError } from '../../core/errors.ts';
import { getOwn, type JsonObject } from '../../core/json.ts';
import { RESERVED_PROPERTY } from '../remote/wire-stamp.ts';
import type { Scope } from '../state/scope.ts';

/** Names the property that sync reserves. */
export const RESERVED: string = `the property ${JSON.stringify(RESERVED_PROPERTY)}`;

/** Refuses what sync keeps for itself. */
export function reserved(what: string): PerigeeError {
  return new PerigeeError('INVALID_DOCUMENT', `A document cannot have ${what}: sync reserves it.`);
}

/** Checks the body of a local write. @throws INVALID_DOCUMENT, SYNC_SCOPE */
export function checkBody(scope: Scope, body: JsonObject): void {
  if (getOwn(body, RESERVED_PROPERTY) !== undefined) {
    throw reserved(RESERVED);
  }
  if (scope.types !== undefined && !scope.types.accepts(body)) {
    throw new PerigeeError(
      'SYNC_SCOPE',
      `Cannot write the document ${JSON.stringify(body['id'])}: its type is not in the scope of the sync engine, so it would not come back.`,
    );
  }
}
