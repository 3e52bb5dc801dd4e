import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { CatalogOwner, CatalogResource } from '../catalog/server-catalog.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';
import { permissionTarget } from './permission-target.ts';

const DEFAULT_LIFE_SECONDS = 3600;
const MIN_LIFE_SECONDS = 10;
const MAX_LIFE_SECONDS = 24 * 3600;

/**
 * How long a token that a request asks for is to live, in seconds: an hour unless said otherwise, from 10 seconds to 24 hours.
 *
 * @throws BAD_REQUEST
 * @see https://learn.microsoft.com/dotnet/api/microsoft.azure.cosmos.permission
 */
export function tokenLifeSeconds(context: RequestContext): number {
  const text = header(context.headers, 'x-ms-documentdb-expiry-seconds') ?? String(DEFAULT_LIFE_SECONDS);
  const seconds = Number(text);
  if (!/^\d{1,9}$/u.test(text) || seconds < MIN_LIFE_SECONDS || seconds > MAX_LIFE_SECONDS) {
    throw new PerigeeError(
      'BAD_REQUEST',
      `The header x-ms-documentdb-expiry-seconds is a whole number from ${MIN_LIFE_SECONDS} to ${MAX_LIFE_SECONDS}.`,
    );
  }
  return seconds;
}

/** A new token of a permission; `undefined` where what it is about is gone. @throws BAD_REQUEST */
export async function permissionToken(
  context: RequestContext,
  owner: CatalogOwner,
  permission: CatalogResource,
): Promise<string | undefined> {
  const { server } = context;
  const expiresAt = Math.floor(server.runtime.nowMs() / 1000) + tokenLifeSeconds(context);
  try {
    const target = await permissionTarget(server, owner.databaseRid, permission.members);
    return server.tokens.issue({
      permission: permission.rid,
      ...target,
      mode: (permission.members['permissionMode'] as string).toLowerCase() === 'all' ? 'All' : 'Read',
      expiresAt,
    });
  } catch (error) {
    if (isPerigeeError(error, 'NOT_FOUND')) {
      return undefined;
    }
    throw error;
  }
}
