import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';
import { parsePartitionKeyText } from '../../store/partition-key.ts';
import { namesDocumentByRid, type ResourceLink } from '../resource-link.ts';
import { header } from '../wire-headers.ts';
import { isReading, type Access, type GrantedChild, type Need, type ResourceGrant } from './access.ts';
import { isWithinKey, type GrantedKey } from './granted-key.ts';

/** Sub-status with which the service refuses management by a directory's token. */
const DIRECTORY_SUB_STATUS = 5300;

/** What a credential of a directory may never do. */
const MANAGEMENT: ReadonlySet<Need> = new Set<Need>([
  'manage-read',
  'manage-write',
  'container-write',
  'permission-read',
  'script-read',
  'script-write',
]);

/** What a token for the whole of a container permits; more than reading needs the mode All. */
const OF_CONTAINER: ReadonlySet<Need> = new Set<Need>([
  'container-read',
  'container-write',
  'plan',
  'item-read',
  'item-write',
  'query',
  'changes',
  'list',
  'conflict-read',
  'conflict-write',
  'batch',
  'bulk',
  'delete-partition',
  'script-read',
  'script-write',
  'script-execute',
]);

/** What a token for one partition key permits, given that the request names the key. */
const OF_KEY: ReadonlySet<Need> = new Set<Need>(['item-read', 'item-write', 'query', 'changes', 'batch']);
/** What every client asks for by itself, whatever the token is for; it tells nothing of any document. */
const OF_CLIENTS: ReadonlySet<Need> = new Set<Need>(['container-read', 'plan']);

const SCRIPT_NEEDS: ReadonlySet<Need> = new Set<Need>(['script-read', 'script-write', 'script-execute']);

/** Headers by which a request reaches beyond the partition key that it names. */
const RANGE_HEADERS: readonly string[] = ['x-ms-start-epk', 'x-ms-end-epk'];
const RANGE_ID_HEADER = 'x-ms-documentdb-partitionkeyrangeid';
const TRIGGER_HEADERS: readonly string[] = ['x-ms-documentdb-pre-trigger-include', 'x-ms-documentdb-post-trigger-include'];

function refuse(message: string, subStatus = 0): PerigeeError {
  return new PerigeeError('FORBIDDEN', message, { subStatus });
}

/**
 * Raises FORBIDDEN unless a credential permits a request, as far as its path and headers tell. That a token's container is the one of the path is
 * checked where the container is found.
 */
export function checkNeed(access: Access, need: Need, link: ResourceLink, headers: IncomingHttpHeaders): void {
  switch (access.kind) {
    case 'master':
      return;
    case 'read-only':
      if (!isReading(need)) {
        throw refuse('The read-only key does not permit this request. Sign it with the master key.');
      }
      return;
    case 'directory':
      if (MANAGEMENT.has(need)) {
        throw refuse(
          'The request cannot be authorized by a directory token in the data plane. Sign it with the master key.',
          DIRECTORY_SUB_STATUS,
        );
      }
      if (access.readOnly && !isReading(need)) {
        throw refuse('The directory token permits reading only.');
      }
      return;
    default:
      if (need !== 'account') {
        checkGrant(access.grant, need, link, headers);
      }
  }
}

function checkGrant(grant: ResourceGrant, need: Need, link: ResourceLink, headers: IncomingHttpHeaders): void {
  if (grant.mode === 'Read' && !isReading(need)) {
    throw refuse('The permission of the resource token has the mode Read, and the request needs All.');
  }
  if (OF_CLIENTS.has(need)) {
    return;
  }
  if (grant.child !== undefined && !isChild(grant.child, grant.container, need, link)) {
    throw refuse('The resource token is for one document or script, and the request is about something else.');
  }
  if (grant.partitionKey !== undefined) {
    checkKey(grant.partitionKey, need, headers);
  } else if (!OF_CONTAINER.has(need)) {
    throw refuse('The resource token does not permit this request.');
  }
}

function isChild({ type, id, rid }: GrantedChild, container: string, need: Need, link: ResourceLink): boolean {
  const wanted = type === 'docs' ? need === 'item-read' || need === 'item-write' : SCRIPT_NEEDS.has(need);
  return wanted && link.feed.type === type && link.id === (namesDocumentByRid(link, container) ? rid : id);
}

function checkKey(granted: GrantedKey, need: Need, headers: IncomingHttpHeaders): void {
  if (!OF_KEY.has(need)) {
    throw refuse('A resource token for a partition key does not permit this request, which could reach other keys.');
  }
  if (RANGE_HEADERS.some((name) => headers[name] !== undefined) || (need === 'changes' && headers[RANGE_ID_HEADER] !== undefined)) {
    throw refuse('A resource token for a partition key does not permit a request by range.');
  }
  if (TRIGGER_HEADERS.some((name) => headers[name] !== undefined)) {
    throw refuse('A resource token for a partition key does not permit to run triggers.');
  }
  const sent = header(headers, 'x-ms-documentdb-partitionkey');
  if (sent === undefined || !isWithinKey(granted, parsePartitionKeyText(sent))) {
    throw refuse('The resource token is for another partition key than the request names in x-ms-documentdb-partitionkey.');
  }
}
