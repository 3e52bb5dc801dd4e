import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { createContainer } from './handlers/create-container.ts';
import { createDatabase } from './handlers/create-database.ts';
import { createDocument } from './handlers/create-document.ts';
import { deleteContainer } from './handlers/delete-container.ts';
import { deleteDatabase } from './handlers/delete-database.ts';
import { deleteDocument } from './handlers/delete-document.ts';
import { deletePartition } from './handlers/delete-partition.ts';
import { executeBatch } from './handlers/execute-batch.ts';
import { executeBulk } from './handlers/execute-bulk.ts';
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
import { refuseFeature } from './handlers/refuse-feature.ts';
import { replaceContainer } from './handlers/replace-container.ts';
import { replaceDocument } from './handlers/replace-document.ts';
import { replaceOffer } from './handlers/replace-offer.ts';
import type { Reply } from './reply.ts';
import type { ResourceLink } from './resource-link.ts';
import type { RequestContext } from './server-context.ts';
import { header, isTrue } from './wire-headers.ts';

/** Answers one kind of request. */
export type Handler = (context: RequestContext) => Promise<Reply>;

/** What a request wants, where method and path leave it open. */
type Kind = 'plain' | 'query' | 'plan' | 'batch' | 'bulk' | 'changes';

interface Route {
  readonly method: string;
  /** `*` stands for an id. */
  readonly path: string;
  readonly kind: Kind;
  readonly handle: Handler;
}

const CONTAINER = 'dbs/*/colls/*';

const route = (method: string, path: string, handle: Handler, kind: Kind = 'plain'): Route => ({ method, path, kind, handle });

/** Paths of the service that are not served. */
const REFUSED: readonly string[] = [
  `${CONTAINER}/sprocs`,
  `${CONTAINER}/triggers`,
  `${CONTAINER}/udfs`,
  'dbs/*/users',
  'dbs/*/users/*/permissions',
  'dbs/*/clientencryptionkeys',
].flatMap((path) => [path, `${path}/*`]);

/** Everything that the server answers. */
const ROUTES: readonly Route[] = [
  route('GET', '', readAccount),

  route('GET', 'dbs', listDatabases),
  route('POST', 'dbs', createDatabase),
  route('POST', 'dbs', listDatabases, 'query'),
  route('GET', 'dbs/*', readDatabase),
  route('DELETE', 'dbs/*', deleteDatabase),

  route('GET', 'dbs/*/colls', listContainers),
  route('POST', 'dbs/*/colls', createContainer),
  route('POST', 'dbs/*/colls', listContainers, 'query'),
  route('GET', CONTAINER, readContainer),
  route('PUT', CONTAINER, replaceContainer),
  route('DELETE', CONTAINER, deleteContainer),

  route('GET', `${CONTAINER}/docs`, listDocuments),
  route('GET', `${CONTAINER}/docs`, readChanges, 'changes'),
  route('POST', `${CONTAINER}/docs`, createDocument),
  route('POST', `${CONTAINER}/docs`, queryDocuments, 'query'),
  route('POST', `${CONTAINER}/docs`, planQuery, 'plan'),
  route('POST', `${CONTAINER}/docs`, executeBatch, 'batch'),
  route('POST', `${CONTAINER}/docs`, executeBulk, 'bulk'),
  route('GET', `${CONTAINER}/docs/*`, readDocument),
  route('PUT', `${CONTAINER}/docs/*`, replaceDocument),
  route('PATCH', `${CONTAINER}/docs/*`, patchDocument),
  route('DELETE', `${CONTAINER}/docs/*`, deleteDocument),

  route('POST', `${CONTAINER}/operations/*`, deletePartition),
  route('GET', `${CONTAINER}/conflicts`, listConflicts),
  route('POST', `${CONTAINER}/conflicts`, listConflicts, 'query'),
  route('GET', `${CONTAINER}/pkranges`, listPartitionRanges),

  route('GET', 'offers', listOffers),
  route('POST', 'offers', listOffers, 'query'),
  route('GET', 'offers/*', readOffer),
  route('PUT', 'offers/*', replaceOffer),

  ...REFUSED.flatMap((path) => ['GET', 'POST', 'PUT', 'DELETE'].map((method) => route(method, path, refuseFeature))),
];

/** Routes by path, then by method and kind. */
const TABLE: ReadonlyMap<string, ReadonlyMap<string, Handler>> = buildTable();

function buildTable(): Map<string, Map<string, Handler>> {
  const table = new Map<string, Map<string, Handler>>();
  for (const { path, method, kind, handle } of ROUTES) {
    const handlers = table.get(path) ?? new Map<string, Handler>();
    handlers.set(`${method} ${kind}`, handle);
    table.set(path, handlers);
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

/** The handler of a request. @throws NOT_FOUND for an unknown path, BAD_REQUEST with status 405 for a method that the path does not take */
export function findHandler(method: string, link: ResourceLink, headers: IncomingHttpHeaders): Handler {
  const { shape } = link.feed;
  const handlers = TABLE.get(link.id === undefined ? shape : `${shape}/*`);
  if (handlers === undefined) {
    throw new PerigeeError('NOT_FOUND', 'There is no such resource: the path of the request is none of the protocol.');
  }
  const handler = handlers.get(`${method} ${kindOf(method, headers)}`) ?? handlers.get(`${method} plain`);
  if (handler === undefined) {
    const methods = new Set(Array.from(handlers.keys(), (key) => key.split(' ')[0] as string));
    const allow = Array.from(methods).join(', ');
    throw new PerigeeError('BAD_REQUEST', `The path of the request does not take the method ${method}. It takes ${allow}.`, {
      status: 405,
      details: { allow },
    });
  }
  return handler;
}
