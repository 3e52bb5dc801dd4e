import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { handledBy } from './handlers/load-handlers.ts';
import { readAccount } from './handlers/read-account.ts';
import type { Need } from './access/access.ts';
import type { ResourceKind } from './catalog/resource-kind.ts';
import type { Handler } from './handler.ts';
import { methodRefused } from './method-refused.ts';
import type { ResourceLink } from './resource-link.ts';
import { header, isTrue } from './wire-headers.ts';

/** What a request wants, where method and path leave it open. */
type Kind = 'plain' | 'query' | 'plan' | 'batch' | 'bulk' | 'changes';

/** One kind of request, and who answers it. */
export interface Route {
  readonly method: string;
  /** `*` stands for an id. */
  readonly path: string;
  readonly kind: Kind;
  /** What a credential must permit. */
  readonly need: Need;
  readonly handle: Handler;
}

const CONTAINER = 'dbs/*/colls/*';

function route(method: string, path: string, need: Need, pick: Parameters<typeof handledBy>[0], kind: Kind = 'plain'): Route {
  return { method, path, kind, need, handle: handledBy(pick) };
}

/** The routes of resources that the catalog keeps. */
function catalogRoutes(path: string, kind: ResourceKind, read: Need, write: Need): readonly Route[] {
  return [
    route('GET', path, read, (all) => all.listResources(kind)),
    route('POST', path, write, (all) => all.createResource(kind)),
    route('POST', path, read, (all) => all.listResources(kind), 'query'),
    route('GET', `${path}/*`, read, (all) => all.readResource(kind)),
    route('PUT', `${path}/*`, write, (all) => all.replaceResource(kind)),
    route('DELETE', `${path}/*`, write, (all) => all.deleteResource(kind)),
  ];
}

/** Everything that the server answers. */
export const ROUTES: readonly Route[] = [
  // What clients ask for first; so it does not wait for the other handlers.
  { method: 'GET', path: '', kind: 'plain', need: 'account', handle: readAccount },

  route('GET', 'dbs', 'metadata-read', (all) => all.listDatabases),
  route('POST', 'dbs', 'manage-write', (all) => all.createDatabase),
  route('POST', 'dbs', 'metadata-read', (all) => all.listDatabases, 'query'),
  route('GET', 'dbs/*', 'metadata-read', (all) => all.readDatabase),
  route('DELETE', 'dbs/*', 'manage-write', (all) => all.deleteDatabase),

  route('GET', 'dbs/*/colls', 'metadata-read', (all) => all.listContainers),
  route('POST', 'dbs/*/colls', 'manage-write', (all) => all.createContainer),
  route('POST', 'dbs/*/colls', 'metadata-read', (all) => all.listContainers, 'query'),
  route('GET', CONTAINER, 'container-read', (all) => all.readContainer),
  route('PUT', CONTAINER, 'container-write', (all) => all.replaceContainer),
  route('DELETE', CONTAINER, 'container-write', (all) => all.deleteContainer),

  route('GET', `${CONTAINER}/docs`, 'list', (all) => all.listDocuments),
  route('GET', `${CONTAINER}/docs`, 'changes', (all) => all.readChanges, 'changes'),
  route('POST', `${CONTAINER}/docs`, 'item-write', (all) => all.createDocument),
  route('POST', `${CONTAINER}/docs`, 'query', (all) => all.queryDocuments, 'query'),
  route('POST', `${CONTAINER}/docs`, 'plan', (all) => all.planQuery, 'plan'),
  route('POST', `${CONTAINER}/docs`, 'batch', (all) => all.executeBatch, 'batch'),
  route('POST', `${CONTAINER}/docs`, 'bulk', (all) => all.executeBulk, 'bulk'),
  route('GET', `${CONTAINER}/docs/*`, 'item-read', (all) => all.readDocument),
  route('PUT', `${CONTAINER}/docs/*`, 'item-write', (all) => all.replaceDocument),
  route('PATCH', `${CONTAINER}/docs/*`, 'item-write', (all) => all.patchDocument),
  route('DELETE', `${CONTAINER}/docs/*`, 'item-write', (all) => all.deleteDocument),

  route('POST', `${CONTAINER}/operations/*`, 'delete-partition', (all) => all.deletePartition),
  route('GET', `${CONTAINER}/conflicts`, 'conflict-read', (all) => all.listConflicts),
  route('POST', `${CONTAINER}/conflicts`, 'conflict-read', (all) => all.listConflicts, 'query'),
  route('GET', `${CONTAINER}/conflicts/*`, 'conflict-read', (all) => all.findConflict),
  route('DELETE', `${CONTAINER}/conflicts/*`, 'conflict-write', (all) => all.findConflict),
  route('GET', `${CONTAINER}/pkranges`, 'container-read', (all) => all.listPartitionRanges),

  ...catalogRoutes(`${CONTAINER}/sprocs`, 'sprocs', 'script-read', 'script-write'),
  route('POST', `${CONTAINER}/sprocs/*`, 'script-execute', (all) => all.executeProcedure),
  ...catalogRoutes(`${CONTAINER}/triggers`, 'triggers', 'script-read', 'script-write'),
  ...catalogRoutes(`${CONTAINER}/udfs`, 'udfs', 'script-read', 'script-write'),
  ...catalogRoutes('dbs/*/users', 'users', 'manage-read', 'manage-write'),
  ...catalogRoutes('dbs/*/users/*/permissions', 'permissions', 'permission-read', 'manage-write'),
  ...catalogRoutes('dbs/*/clientencryptionkeys', 'clientencryptionkeys', 'metadata-read', 'manage-write'),

  route('GET', 'offers', 'manage-read', (all) => all.listOffers),
  route('POST', 'offers', 'manage-read', (all) => all.listOffers, 'query'),
  route('GET', 'offers/*', 'manage-read', (all) => all.readOffer),
  route('PUT', 'offers/*', 'manage-write', (all) => all.replaceOffer),
];

/** Routes by path, then by method and kind. */
const TABLE = buildTable();

/** Routes of one path: by method, then by kind. */
type PathRoutes = Map<string, Map<Kind, Route>>;

function buildTable(): { readonly ofFeeds: ReadonlyMap<string, PathRoutes>; readonly ofResources: ReadonlyMap<string, PathRoutes> } {
  const [ofFeeds, ofResources] = [new Map<string, PathRoutes>(), new Map<string, PathRoutes>()];
  for (const one of ROUTES) {
    const isResource = one.path.endsWith('/*');
    const [table, shape] = isResource ? [ofResources, one.path.slice(0, -2)] : [ofFeeds, one.path];
    const routes: PathRoutes = table.get(shape) ?? new Map();
    const kinds = routes.get(one.method) ?? new Map<Kind, Route>();
    table.set(shape, routes.set(one.method, kinds.set(one.kind, one)));
  }
  return { ofFeeds, ofResources };
}

function kindOf(method: string, headers: IncomingHttpHeaders): Kind {
  if (method === 'GET') {
    return headers['a-im'] === undefined ? 'plain' : 'changes';
  }
  if (method !== 'POST') {
    return 'plain';
  }
  if (isTrue(headers, 'x-ms-cosmos-is-query-plan-request')) {
    return 'plan';
  }
  if (isTrue(headers, 'x-ms-documentdb-isquery') || header(headers, 'content-type')?.startsWith('application/query+json') === true) {
    return 'query';
  }
  if (isTrue(headers, 'x-ms-cosmos-is-batch-request')) {
    return isTrue(headers, 'x-ms-cosmos-batch-atomic') ? 'batch' : 'bulk';
  }
  return 'plain';
}

/** The route of a request. @throws NOT_FOUND or BAD_REQUEST for an unknown path, BAD_REQUEST with status 405 for a method that the path does not take */
export function findRoute(method: string, link: ResourceLink, headers: IncomingHttpHeaders): Route {
  const { shape } = link.feed;
  const routes = (link.id === undefined ? TABLE.ofFeeds : TABLE.ofResources).get(shape);
  if (routes === undefined) {
    // The service takes what stands at such a place for a malformed link, and answers what it does not know at all with 404.
    const code = /^(?:dbs|offers)\//u.test(shape) ? 'BAD_REQUEST' : 'NOT_FOUND';
    throw new PerigeeError(code, 'There is no such resource: the path of the request is none of the protocol.');
  }
  const kinds = routes.get(method);
  const found = kinds?.get(kindOf(method, headers)) ?? kinds?.get('plain');
  if (found === undefined) {
    throw methodRefused(method, Array.from(routes.keys()).join(', '));
  }
  return found;
}
