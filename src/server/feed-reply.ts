import type { JsonObject } from '../core/json.ts';
import { chargeHeader, jsonReply, type Reply } from './reply.ts';

/** The body of a feed. */
export function feedBody(rid: string, member: string, items: readonly unknown[]): object {
  return { _rid: rid, [member]: items, _count: items.length };
}

/** Charge of a request on databases, containers and the like. */
export const READ_CHARGE = 1;
/** Charge of a request that changes databases, containers and the like. */
export const CHANGE_CHARGE = 4.95;

/** The answer to a request for, or a change of, one database, container and the like. */
export function resourceReply(status: number, resource: JsonObject, headers: readonly string[] = []): Reply {
  const charge = chargeHeader(status === 200 ? READ_CHARGE : CHANGE_CHARGE);
  return jsonReply(status, resource, ['x-ms-request-charge', charge, 'etag', resource['_etag'] as string, ...headers]);
}

/** The answer to a request that deleted a database or a container. */
export function deletedReply(): Reply {
  return { status: 204, headers: ['x-ms-request-charge', chargeHeader(CHANGE_CHARGE)], body: undefined };
}
