import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { createContainer } from './handlers/create-container.ts';
import { createDatabase } from './handlers/create-database.ts';
import { createResource } from './handlers/create-resource.ts';
import { deleteResource } from './handlers/delete-resource.ts';
import { listResources } from './handlers/list-resources.ts';
import { readResource } from './handlers/read-resource.ts';
import { replaceResource } from './handlers/replace-resource.ts';
import { createDocument } from './handlers/create-document.ts';
import { deleteContainer } from './handlers/delete-container.ts';
import { deleteDatabase } from './handlers/delete-database.ts';
import { deleteDocument } from './handlers/delete-document.ts';
import { deletePartition } from './handlers/delete-partition.ts';
import { executeBatch } from './handlers/execute-batch.ts';
import { executeBulk } from './handlers/execute-bulk.ts';
import { executeProcedure } from './handlers/execute-procedure.ts';
import { findConflict } from './handlers/find-conflict.ts';
import { listConflicts } from './handlers/list-conflicts.ts';
import { listContainers } from './handlers/list-containers.ts';
import { listDatabases } from './handlers/list-databases.ts';
import { listDocuments } from './handlers/list-documents.ts';
import { listOffers } from './handlers/list-offers.ts';
import { listPartitionRanges } from './handlers/list-partition-ranges.ts';
import { patchDocument } from './handlers/patch-document.ts';
import { planQuery } from './handlers/plan-query.ts';
import { queryDocuments } from './handlers/query-documents.ts';
import { readAccount } from './handlers/read-account.ts';
import { readChanges } from './handlers/read-changes.ts';
import { readContainer } from './handlers/read-container.ts';
import { readDatabase } from './handlers/read-database.ts';
import { readDocument } from './handlers/read-document.ts';
import { readOffer } from './handlers/read-offer.ts';
import { replaceContainer } from './handlers/replace-container.ts';
import { replaceDocument } from './handlers/replace-document.ts';
import { replaceOffer } from './handlers/replace-offer.ts';
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

function route(method: string, path: string, need: Need, handle: Handler, kind: Kind = 'plain'): Route {
  return { method, path, kind, need, handle };
}

/** The routes of resources that the catalog keeps. */
function catalogRoutes(path: string, kind: ResourceKind, read: Need, write: Need): readonly Route[] {
  return [
    route('GET', path, read, listResources(kind)),
    route('POST', path, write, createResource(kind)),
    route('POST', path, read, listResources(kind), 'query'),
    route('GET', `${path}/*`, read, readResource(kind)),
    route('PUT', `${path}/*`, write, replaceResource(kind)),
    route('DELETE', `${path}/*`, write, deleteResource(kind)),
  ];
}

/** Everything that the server answers. */
export const ROUTES: readonly Route[] = [
  route('GET', '', 'account', readAccount),

  route('GET', 'dbs', 'metadata-read', listDatabases),
  route('POST', 'dbs', 'manage-write', createDatabase),
  route('POST', 'dbs', 'metadata-read', listDatabases, 'query'),
  route('GET', 'dbs/*', 'metadata-read', readDatabase),
  route('DELETE', 'dbs/*', 'manage-write', deleteDatabase),

  route('GET', 'dbs/*/colls', 'metadata-read', listContainers),
  route('POST', 'dbs/*/colls', 'manage-write', createContainer),
  route('POST', 'dbs/*/colls', 'metadata-read', listContainers, 'query'),
  route('GET', CONTAINER, 'container-read', readContainer),
  route('PUT', CONTAINER, 'container-write', replaceContainer),
  route('DELETE', CONTAINER, 'container-write', deleteContainer),

  route('GET', `${CONTAINER}/docs`, 'list', listDocuments),
  route('GET', `${CONTAINER}/docs`, 'changes', readChanges, 'changes'),
  route('POST', `${CONTAINER}/docs`, 'item-write', createDocument),
  route('POST', `${CONTAINER}/docs`, 'query', queryDocuments, 'query'),
  route('POST', `${CONTAINER}/docs`, 'plan', planQuery, 'plan'),
  route('POST', `${CONTAINER}/docs`, 'batch', executeBatch, 'batch'),
  route('POST', `${CONTAINER}/docs`, 'bulk', executeBulk, 'bulk'),
  route('GET', `${CONTAINER}/docs/*`, 'item-read', readDocument),
  route('PUT', `${CONTAINER}/docs/*`, 'item-write', replaceDocument),
  route('PATCH', `${CONTAINER}/docs/*`, 'item-write', patchDocument),
  route('DELETE', `${CONTAINER}/docs/*`, 'item-write', deleteDocument),

  route('POST', `${CONTAINER}/operations/*`, 'delete-partition', deletePartition),
  route('GET', `${CONTAINER}/conflicts`, 'conflict-read', listConflicts),
  route('POST', `${CONTAINER}/conflicts`, 'conflict-read', listConflicts, 'query'),
  route('GET', `${CONTAINER}/conflicts/*`, 'conflict-read', findConflict),
  route('DELETE', `${CONTAINER}/conflicts/*`, 'conflict-write', findConflict),
  route('GET', `${CONTAINER}/pkranges`, 'container-read', listPartitionRanges),

  ...catalogRoutes(`${CONTAINER}/sprocs`, 'sprocs', 'script-read', 'script-write'),
  route('POST', `${CONTAINER}/sprocs/*`, 'script-execute', executeProcedure),
  ...catalogRoutes(`${CONTAINER}/triggers`, 'triggers', 'script-read', 'script-write'),
  ...catalogRoutes(`${CONTAINER}/udfs`, 'udfs', 'script-read', 'script-write'),
  ...catalogRoutes('dbs/*/users', 'users', 'manage-read', 'manage-write'),
  ...catalogRoutes('dbs/*/users/*/permissions', 'permissions', 'permission-read', 'manage-write'),
  ...catalogRoutes('dbs/*/clientencryptionkeys', 'clientencryptionkeys', 'metadata-read', 'manage-write'),

  route('GET', 'offers', 'manage-read', listOffers),
  route('POST', 'offers', 'manage-read', listOffers, 'query'),
  route('GET', 'offers/*', 'manage-read', readOffer),
  route('PUT', 'offers/*', 'manage-write', replaceOffer),
];

/** Routes by path, then by method and kind. */
const TABLE: ReadonlyMap<string, ReadonlyMap<string, Route>> = buildTable();

function buildTable(): Map<string, Map<string, Route>> {
  const table = new Map<string, Map<string, Route>>();
  for (const one of ROUTES) {
    const routes = table.get(one.path) ?? new Map<string, Route>();
    routes.set(`${one.method} ${one.kind}`, one);
    table.set(one.path, routes);
  }
  return table;
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
  const routes = TABLE.get(link.id === undefined ? shape : `${shape}/*`);
  if (routes === undefined) {
    // The service takes what stands at such a place for a malformed link, and answers what it does not know at all with 404.
    const code = /^(?:dbs|offers)\//u.test(shape) ? 'BAD_REQUEST' : 'NOT_FOUND';
    throw new PerigeeError(code, 'There is no such resource: the path of the request is none of the protocol.');
  }
  const found = routes.get(`${method} ${kindOf(method, headers)}`) ?? routes.get(`${method} plain`);
  if (found === undefined) {
    const methods = new Set(Array.from(routes.keys(), (key) => key.split(' ')[0] as string));
    const allow = Array.from(methods).join(', ');
    throw methodRefused(method, allow);
  }
  return found;
}
