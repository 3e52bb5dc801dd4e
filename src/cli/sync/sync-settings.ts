import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { parsePartitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { ConflictPolicy } from '../../sync/decide/conflict.ts';
import { clientWins, lastWriteWins, serverWins } from '../../sync/decide/conflict-policies.ts';

/** What every command line of `perigee sync` says. */
export interface DeviceSettings {
  readonly file: string;
  readonly fileDatabase?: string | undefined;
  readonly json?: boolean | undefined;
}

/** What the command lines say that open an engine. */
export interface EngineSettings extends DeviceSettings {
  readonly remote?: string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly scope: readonly string[];
  readonly policy?: string | undefined;
}

/** Policies that a command line can name. */
const POLICIES: Readonly<Record<string, ConflictPolicy>> = {
  'last-write-wins': lastWriteWins,
  'server-wins': serverWins,
  'client-wins': clientWins,
};

/** A partition key that a command line names. */
export interface GivenScope {
  readonly container: string;
  readonly partitionKey: PartitionKey;
}

/** Reads `container=key`; the key is JSON, an array for several paths, and whatever is no JSON is text. @throws INVALID_OPTION, BAD_REQUEST */
export function parseScope(text: string): GivenScope {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot read --scope: write a container, an equals sign and a partition key, such as notes=ada.',
    );
  }
  return { container: text.slice(0, at), partitionKey: parseKey(text.slice(at + 1)) };
}

function parseKey(text: string): PartitionKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [text];
  }
  try {
    return parsePartitionKeyText(Array.isArray(value) ? text : `[${text}]`);
  } catch (error) {
    if (isPerigeeError(error)) {
      throw new PerigeeError('INVALID_OPTION', `Cannot read the partition key of --scope: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** The policy of a name. @throws INVALID_OPTION */
export function policyOf(name: string): ConflictPolicy {
  const policy = Object.hasOwn(POLICIES, name) ? POLICIES[name] : undefined;
  if (policy === undefined) {
    throw new PerigeeError('INVALID_OPTION', `The option --policy is one of ${Object.keys(POLICIES).join(', ')}.`);
  }
  return policy;
}

/** Reads a number above 0. @throws INVALID_OPTION */
export function positiveNumber(option: string, text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  if (text !== undefined && !(Number.isFinite(value) && value > 0)) {
    throw new PerigeeError('INVALID_OPTION', `The option ${option} is a number above 0.`);
  }
  return text === undefined ? undefined : value;
}
