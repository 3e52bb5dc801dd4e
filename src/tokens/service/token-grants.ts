import { PerigeeError } from '../../core/errors.ts';
import { checkComponent, partitionKeyText, type PartitionKey, type PartitionKeyInput } from '../../store/partition-key.ts';
import type { TokenDemand } from './token-demand.ts';

/** A partition key that a caller may have, or a prefix of one, of which it may then have all below. `undefined` counts only within a list. */
export type TokenGrant =
  | PartitionKeyInput
  | {
      readonly partitionKey: PartitionKeyInput;
      /** `all` unless said otherwise. */
      readonly mode?: 'read' | 'all' | undefined;
    }
  | {
      readonly wholeContainer: true;
      /** `all` unless said otherwise. */
      readonly mode?: 'read' | 'all' | undefined;
    };

/** What a token is for, once that is decided. */
export interface TokenScope {
  readonly container: string;
  /** `undefined` for the whole container. */
  readonly partitionKey: PartitionKey | undefined;
  readonly mode: 'read' | 'all';
}

interface Granted {
  readonly key: PartitionKey | undefined;
  readonly mode: 'read' | 'all';
}

/** A missing component counts only within a list: by itself it is more likely a claim that a caller does not have. */
function keyOf(input: PartitionKeyInput): PartitionKey {
  if (input === undefined) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'partitionKeysOf gave undefined for a partition key; write [undefined] for documents that lack theirs.',
    );
  }
  return (Array.isArray(input) ? (input as PartitionKey) : [input as PartitionKey[number]]).map(checkComponent);
}

function grantedBy(grant: TokenGrant): Granted {
  if (typeof grant !== 'object' || grant === null || Array.isArray(grant)) {
    return { key: keyOf(grant as PartitionKeyInput), mode: 'all' };
  }
  const { mode = 'all' } = grant as { readonly mode?: 'read' | 'all' };
  if (mode !== 'all' && mode !== 'read') {
    throw new PerigeeError('INVALID_OPTION', 'partitionKeysOf gave a mode that is neither read nor all.');
  }
  if ('wholeContainer' in grant && grant.wholeContainer === true) {
    return { key: undefined, mode };
  }
  if (!('partitionKey' in grant)) {
    throw new PerigeeError('INVALID_OPTION', 'partitionKeysOf gave an object with neither partitionKey nor wholeContainer.');
  }
  return { key: keyOf(grant.partitionKey), mode };
}

function covers({ key, mode }: Granted, demand: TokenDemand): boolean {
  const wanted = demand.partitionKey;
  return (
    (mode === 'all' || demand.mode === 'read') &&
    (key === undefined ||
      wanted === undefined ||
      (key.length > 0 && partitionKeyText(wanted.slice(0, key.length)) === partitionKeyText(key)))
  );
}

/**
 * What a caller is given for what it demands: the partition key demanded, where it may have it; the first that it may have, where it demands none.
 * Any token for a container permits to read the container's definition, which is what is asked for without a key.
 *
 * @throws FORBIDDEN, INVALID_OPTION for grants that make no sense
 */
export function decideScope(grants: readonly TokenGrant[], demand: TokenDemand): TokenScope {
  if (!Array.isArray(grants)) {
    throw new PerigeeError('INVALID_OPTION', 'partitionKeysOf gives a list.');
  }
  const found = (grants as readonly TokenGrant[]).map(grantedBy).find((granted) => covers(granted, demand));
  if (found === undefined) {
    throw new PerigeeError('FORBIDDEN', 'The caller may not have this partition key in this mode.');
  }
  return { container: demand.container, partitionKey: demand.partitionKey ?? found.key, mode: demand.mode };
}
