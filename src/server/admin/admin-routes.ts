import { readFileSync } from 'node:fs';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ChaosRules } from '../chaos/chaos-rules.ts';
import type { PartitionCommand } from '../partitions/partition-commands.ts';
import { methodRefused } from '../method-refused.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { AdminNeed } from './admin-access.ts';
import type { AdminContext } from './admin-context.ts';
import { ADMIN_PREFIX } from './admin-prefix.ts';
import type { AdminRequest } from './admin-request.ts';
import { giveSnapshot, takeSnapshot } from './snapshot-routes.ts';

type AdminHandler = (context: AdminContext, request: AdminRequest) => Promise<Reply>;

/** One kind of request to the server itself. */
export interface AdminRoute {
  readonly method: string;
  readonly path: string;
  readonly need: AdminNeed;
  /** How the body is taken: as JSON within the limit of bodies, or by the handler, as it comes. */
  readonly body: 'none' | 'json' | 'stream';
  readonly handle: AdminHandler;
}

let version: string | undefined;

function versionOf(): string {
  version ??= (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
  return version;
}

const giveInfo: AdminHandler = async ({ backend, clock, facts }) => {
  const { name, capabilities } = backend;
  return jsonReply(200, { version: versionOf(), ...facts(), store: { name, capabilities }, clock: clock.report() });
};

const giveChaos: AdminHandler = async ({ chaos }) => jsonReply(200, chaos.report());

const replaceChaos: AdminHandler = async ({ chaos }, request) => {
  chaos.replace(request.json() as ChaosRules);
  return jsonReply(200, chaos.report());
};

const clearChaos: AdminHandler = async ({ chaos }) => {
  chaos.clear();
  return { status: 204, headers: [], body: undefined };
};

const giveClock: AdminHandler = async ({ clock }) => jsonReply(200, clock.report());

const moveClock: AdminHandler = async ({ clock }, request) => jsonReply(200, clock.move(request.json()));

function nameIn(members: JsonObject, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') {
    throw new PerigeeError('BAD_REQUEST', `The body of the request names no ${name}.`);
  }
  return value;
}

const PARTITION_MEMBERS = ['database', 'container', 'rangeId', 'at', 'completingMs'];

function partitionCommand(request: AdminRequest): PartitionCommand {
  const members = request.members(PARTITION_MEMBERS);
  const { completingMs } = members;
  if (completingMs !== undefined && !(typeof completingMs === 'number' && completingMs >= 0)) {
    throw new PerigeeError('BAD_REQUEST', 'The member completingMs is a number of milliseconds.');
  }
  return {
    database: nameIn(members, 'database'),
    container: nameIn(members, 'container'),
    rangeId: members['rangeId'] === undefined ? undefined : nameIn(members, 'rangeId'),
    at: members['at'] === undefined ? undefined : nameIn(members, 'at'),
    completingMs,
  };
}

const listPartitions: AdminHandler = async ({ partitions }, request) => {
  const [database, container] = [request.parameter('database'), request.parameter('container')];
  if (database === undefined || container === undefined) {
    throw new PerigeeError('BAD_REQUEST', 'The parameters database and container say whose ranges are wanted.');
  }
  return jsonReply(200, { ranges: await partitions.list({ database, container }) });
};

const splitPartition: AdminHandler = async ({ partitions }, request) =>
  jsonReply(200, { ranges: await partitions.split(partitionCommand(request)) });

const mergePartitions: AdminHandler = async ({ partitions }, request) =>
  jsonReply(200, { ranges: await partitions.merge(partitionCommand(request)) });

function route(method: string, path: string, need: AdminNeed, handle: AdminHandler, body: AdminRoute['body'] = 'none'): AdminRoute {
  return { method, path: ADMIN_PREFIX + path, need, handle, body };
}

/** What the server answers of itself. A snapshot needs the master key because it holds what the read-only key may not read: users and permissions. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  route('GET', 'info', 'read', giveInfo),
  route('GET', 'chaos', 'read', giveChaos),
  route('PUT', 'chaos', 'master', replaceChaos, 'json'),
  route('DELETE', 'chaos', 'master', clearChaos),
  route('GET', 'clock', 'read', giveClock),
  route('POST', 'clock', 'master', moveClock, 'json'),
  route('GET', 'partitions', 'read', listPartitions),
  route('POST', 'partitions/split', 'master', splitPartition, 'json'),
  route('POST', 'partitions/merge', 'master', mergePartitions, 'json'),
  route('GET', 'snapshot', 'master', giveSnapshot),
  route('POST', 'restore', 'master', takeSnapshot, 'stream'),
];

/** The route of a request below {@link ADMIN_PREFIX}. @throws NOT_FOUND, BAD_REQUEST with status 405 */
export function findAdminRoute(method: string, path: string): AdminRoute {
  const routes = ADMIN_ROUTES.filter((one) => one.path === path);
  const found = routes.find((one) => one.method === method);
  if (found !== undefined) {
    return found;
  }
  if (routes.length === 0) {
    const paths = Array.from(new Set(ADMIN_ROUTES.map((one) => one.path)));
    throw new PerigeeError('NOT_FOUND', `There is no such admin route. There are ${paths.join(', ')}.`);
  }
  const allow = routes.map((one) => one.method).join(', ');
  throw methodRefused(method, allow);
}
