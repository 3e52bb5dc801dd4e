import { PerigeeError } from '../core/errors.ts';
import type { ContainerInfo } from '../store/backend.ts';
import { offerId } from './offer-json.ts';
import type { RequestContext } from './server-context.ts';

/** All containers, which have one offer each. */
export async function allContainers(context: RequestContext): Promise<readonly ContainerInfo[]> {
  const { backend } = context.server;
  const found: ContainerInfo[] = [];
  for (const { id } of await backend.listDatabases()) {
    found.push(...(await backend.listContainers(id)));
  }
  return found;
}

/** The container that an offer is of. @throws NOT_FOUND */
export async function containerOfOffer(context: RequestContext): Promise<ContainerInfo> {
  const found = (await allContainers(context)).find((info) => offerId(info) === context.id);
  if (found === undefined) {
    throw new PerigeeError('NOT_FOUND', 'Resource Not Found: there is no offer with this id.');
  }
  return found;
}
