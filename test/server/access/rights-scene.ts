import { systemRuntime } from '../../../src/core/runtime.ts';
import { ResourceTokens } from '../../../src/server/access/resource-tokens.ts';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer, type VerifyDirectoryToken } from '../../../src/server/index.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { sourceThread } from '../scripts/source-thread.ts';
import { sign } from '../sign.ts';

export const READ_ONLY_KEY: string = Buffer.from('a key that reads and does no more').toString('base64');
const OTHER_KEY = Buffer.from('the key of some other account').toString('base64');

/** Credentials that are valid. Tokens are for the container `c`, its key `a` or the document `1` there unless their name says otherwise. */
export const CREDENTIALS = [
  'master',
  'readOnly',
  'contributor',
  'reader',
  'containerRead',
  'containerAll',
  'otherContainer',
  'keyRead',
  'keyAll',
  'otherKey',
  'documentRead',
  'documentAll',
  'otherDocument',
  'procedureRead',
  'procedureAll',
  'triggerAll',
  'functionAll',
] as const;

export type Credential = (typeof CREDENTIALS)[number];

/** Credentials that say nothing, or nothing that is to be believed, with what they meet. */
export const REFUSED = {
  none: 401,
  otherMasterKey: 401,
  otherReadOnlyKey: 401,
  tampered: 401,
  ofOtherAccount: 401,
  unknownBearer: 401,
  expired: 403,
} as const;

export type Refused = keyof typeof REFUSED;

export interface SentRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An account with one of everything, and credentials of every kind. */
export interface RightsScene {
  readonly backend: Backend;
  /** The throughput of the container. */
  readonly offerId: string;
  readonly send: (method: string, request: SentRequest, credential: Credential | Refused) => Promise<Response>;
  /** To a server on the same data that accepts no bearer tokens. */
  readonly sendBearer: (method: string, request: SentRequest) => Promise<Response>;
  readonly close: () => Promise<void>;
}

const verifyBearer: VerifyDirectoryToken = (token) => (token === 'contributor' || token === 'reader' ? token : undefined);

const PERMISSIONS: Readonly<Record<Exclude<Credential, 'master' | 'readOnly' | 'contributor' | 'reader'>, object>> = {
  containerRead: { permissionMode: 'Read', resource: 'dbs/app/colls/c' },
  containerAll: { permissionMode: 'All', resource: 'dbs/app/colls/c' },
  otherContainer: { permissionMode: 'All', resource: 'dbs/app/colls/d' },
  keyRead: { permissionMode: 'Read', resource: 'dbs/app/colls/c', resourcePartitionKey: ['a'] },
  keyAll: { permissionMode: 'All', resource: 'dbs/app/colls/c', resourcePartitionKey: ['a'] },
  otherKey: { permissionMode: 'All', resource: 'dbs/app/colls/c', resourcePartitionKey: ['b'] },
  documentRead: { permissionMode: 'Read', resource: 'dbs/app/colls/c/docs/1', resourcePartitionKey: ['a'] },
  documentAll: { permissionMode: 'All', resource: 'dbs/app/colls/c/docs/1', resourcePartitionKey: ['a'] },
  otherDocument: { permissionMode: 'All', resource: 'dbs/app/colls/c/docs/2', resourcePartitionKey: ['a'] },
  procedureRead: { permissionMode: 'Read', resource: 'dbs/app/colls/c/sprocs/p' },
  procedureAll: { permissionMode: 'All', resource: 'dbs/app/colls/c/sprocs/p' },
  triggerAll: { permissionMode: 'All', resource: 'dbs/app/colls/c/triggers/t' },
  functionAll: { permissionMode: 'All', resource: 'dbs/app/colls/c/udfs/f' },
};

const ENCRYPTION_KEY = {
  encryptionAlgorithm: 'AEAD_AES_256_CBC_HMAC_SHA256',
  keyWrapMetadata: { name: 'k' },
  wrappedDataEncryptionKey: 'AA',
};

/** What is made, in this order, by path of the feed. */
const RESOURCES: readonly (readonly [path: string, body: object])[] = [
  ['/dbs', { id: 'app' }],
  ['/dbs/app/colls', { id: 'c', partitionKey: { paths: ['/k'], kind: 'Hash', version: 2 } }],
  ['/dbs/app/colls', { id: 'd', partitionKey: { paths: ['/k'], kind: 'Hash', version: 2 } }],
  ['/dbs/app/colls/c/docs', { id: '1', k: 'a' }],
  ['/dbs/app/colls/c/sprocs', { id: 'p', body: 'function () { getContext().getResponse().setBody(1); }' }],
  ['/dbs/app/colls/c/triggers', { id: 't', body: 'function () {}', triggerType: 'Pre', triggerOperation: 'All' }],
  ['/dbs/app/colls/c/udfs', { id: 'f', body: 'function () { return 1; }' }],
  ['/dbs/app/clientencryptionkeys', { id: 'e', ...ENCRYPTION_KEY }],
  ['/dbs/app/users', { id: 'u' }],
];

async function ask(server: PerigeeServer, method: string, request: SentRequest, authorization: string | null): Promise<Response> {
  const { path, headers = {}, body } = request;
  return fetch(server.url + path, {
    method,
    headers: { 'x-ms-date': new Date().toUTCString(), ...(authorization === null ? {} : { authorization }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

export async function openRightsScene(): Promise<RightsScene> {
  const backend = openMemoryBackend();
  const scripts = { createThread: sourceThread };
  const server = await startServer({ backend, port: 0, readOnlyKey: READ_ONLY_KEY, directoryTokens: verifyBearer, scripts });
  const withoutBearer = await startServer({ backend, port: 0, scripts });
  const signed = (method: string, path: string, key?: string): string => sign(method, path, new Date().toUTCString(), key);
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = path.endsWith('/docs') ? { 'x-ms-documentdb-partitionkey': '["a"]' } : {};
    const response = await ask(server, 'POST', { path, headers, body: JSON.stringify(body) }, signed('POST', path));
    const json = (await response.json()) as Record<string, unknown>;
    if (response.status !== 201) {
      throw new Error(`cannot create ${path}: ${JSON.stringify(json)}`);
    }
    return json;
  };
  for (const [path, body] of RESOURCES) {
    await post(path, body);
  }
  const tokens = new Map<string, string>();
  for (const [id, permission] of Object.entries(PERMISSIONS)) {
    // A user has one permission for a resource.
    await post('/dbs/app/users', { id: `of-${id}` });
    tokens.set(id, (await post(`/dbs/app/users/of-${id}/permissions`, { id, ...permission }))['_token'] as string);
  }
  const offers = await ask(server, 'GET', { path: '/offers' }, signed('GET', '/offers'));
  const { Offers } = (await offers.json()) as { readonly Offers: readonly { readonly id: string }[] };
  const container = await backend.readContainer('app', 'c');
  const grant = {
    permission: 'AA==',
    container: container?.rid as string,
    names: ['app', 'c'],
    child: undefined,
    partitionKey: undefined,
    mode: 'All',
    expiresAt: Math.floor(Date.now() / 1000) + 60,
  } as const;
  const issuer = (key: string): ResourceTokens => new ResourceTokens(Buffer.from(key, 'base64'), systemRuntime);
  const all = tokens.get('containerAll') as string;
  const authorization = (method: string, path: string, credential: Credential | Refused): string | null => {
    switch (credential) {
      case 'none':
        return null;
      case 'master':
        return signed(method, path);
      case 'readOnly':
        return signed(method, path, READ_ONLY_KEY);
      case 'otherMasterKey':
        return signed(method, path, OTHER_KEY);
      case 'otherReadOnlyKey':
        return signed(method, path, READ_ONLY_KEY).replace(/.(?:%3D)*$/u, '');
      case 'contributor':
      case 'reader':
        return encodeURIComponent(`type=aad&ver=1.0&sig=${credential}`);
      case 'unknownBearer':
        return 'Bearer somebody';
      case 'tampered':
        return encodeURIComponent(all.replace(/sig=./u, (text) => (text === 'sig=A' ? 'sig=B' : 'sig=A')));
      case 'ofOtherAccount':
        return encodeURIComponent(issuer(OTHER_KEY).issue(grant));
      case 'expired':
        return encodeURIComponent(issuer(WELL_KNOWN_KEY).issue({ ...grant, expiresAt: Math.floor(Date.now() / 1000) - 1 }));
      default:
        return encodeURIComponent(tokens.get(credential) as string);
    }
  };
  return {
    backend,
    offerId: (Offers[0] as { readonly id: string }).id,
    send: (method, request, credential) => ask(server, method, request, authorization(method, request.path, credential)),
    sendBearer: (method, request) => ask(withoutBearer, method, request, 'Bearer contributor'),
    close: async () => {
      await server.close();
      await withoutBearer.close();
      await backend.close();
    },
  };
}
