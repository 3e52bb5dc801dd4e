import type { IncomingHttpHeaders } from 'node:http';
import type { Route } from './routes.ts';
import { isTrue } from './wire-headers.ts';

/** What the last type in a path is called in the names of operations: one of them, and several. */
const NOUNS: Readonly<Record<string, readonly [one: string, several: string]>> = {
  dbs: ['database', 'databases'],
  colls: ['container', 'containers'],
  docs: ['document', 'documents'],
  sprocs: ['stored-procedure', 'stored-procedures'],
  triggers: ['trigger', 'triggers'],
  udfs: ['user-defined-function', 'user-defined-functions'],
  users: ['user', 'users'],
  permissions: ['permission', 'permissions'],
  clientencryptionkeys: ['client-encryption-key', 'client-encryption-keys'],
  conflicts: ['conflict', 'conflicts'],
  offers: ['offer', 'offers'],
};

/** Operations whose name does not follow from method and path. */
const SPECIAL: Readonly<Record<string, string>> = {
  'GET plain ': 'read-account',
  'GET changes dbs/*/colls/*/docs': 'read-change-feed',
  'POST plan dbs/*/colls/*/docs': 'plan-query',
  'POST batch dbs/*/colls/*/docs': 'execute-batch',
  'POST bulk dbs/*/colls/*/docs': 'execute-bulk',
  'GET plain dbs/*/colls/*/pkranges': 'list-partition-ranges',
  'POST plain dbs/*/colls/*/operations/*': 'delete-partition',
  'POST plain dbs/*/colls/*/sprocs/*': 'execute-stored-procedure',
};

const ONE: Readonly<Record<string, string>> = { GET: 'read', PUT: 'replace', PATCH: 'patch', DELETE: 'delete' };

/**
 * The name of what a route does, such as `read-document` or `query-containers`; that of a route that creates can become one that upserts, see
 * {@link operationOf}.
 */
export function operationOfRoute({ method, path, kind }: Pick<Route, 'method' | 'path' | 'kind'>): string {
  const special = SPECIAL[`${method} ${kind} ${path}`];
  if (special !== undefined) {
    return special;
  }
  const isOne = path.endsWith('/*');
  const type = (isOne ? path.slice(0, -2) : path).split('/').at(-1) as string;
  const [one, several] = NOUNS[type] ?? [type, type];
  if (isOne) {
    return `${ONE[method] ?? method.toLowerCase()}-${one}`;
  }
  return method === 'GET' ? `list-${several}` : kind === 'query' ? `query-${several}` : `create-${one}`;
}

/** The operation of a request. */
export function operationOf(route: Route, headers: IncomingHttpHeaders): string {
  const name = operationOfRoute(route);
  return name.startsWith('create-') && isTrue(headers, 'x-ms-documentdb-is-upsert') ? name.replace('create-', 'upsert-') : name;
}

/** Whether an upsert of what an operation creates is possible. */
const UPSERTED: ReadonlySet<string> = new Set(['document', 'stored-procedure', 'trigger', 'user-defined-function', 'user', 'permission']);

/** Names of all operations of some routes, sorted. */
export function operationNames(routes: readonly Route[]): readonly string[] {
  const names = new Set(routes.map(operationOfRoute));
  for (const name of Array.from(names)) {
    const [, noun] = /^create-(.+)$/u.exec(name) ?? [];
    if (noun !== undefined && UPSERTED.has(noun)) {
      names.add(`upsert-${noun}`);
    }
  }
  return Array.from(names).toSorted();
}
