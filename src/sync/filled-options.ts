import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ContainerInput } from '../store/container-definition.ts';
import { STORE_LIMITS } from '../store/limits.ts';
import type { ConflictPolicy } from './decide/conflict.ts';
import type { SyncOptions } from './sync-options.ts';

const DAY_SECONDS = 24 * 60 * 60;
/** The longest time to live that stores take; a tombstone with a longer one would be refused, and with it the deletion. */
const MAX_TTL_SECONDS = 0x7fffffff;
const HOUR_MS = 60 * 60 * 1000;

/** Options with every default filled in. */
export interface FilledOptions extends SyncOptions {
  readonly database: string;
  readonly runtime: Runtime;
  readonly containers: readonly ContainerInput[];
  readonly localContainers: readonly ContainerInput[];
  readonly tombstoneTtlSeconds: number;
  readonly reconcileIntervalMs: number;
  readonly clockToleranceMs: number;
  readonly pageItems: number;
  readonly markerIntervalMs: number;
  readonly lockTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

function wholeNumber(name: string, value: number, from: number, to: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < from || value > to) {
    throw new PerigeeError('INVALID_OPTION', `The option ${name} is a whole number from ${from} to ${to}.`);
  }
  return value;
}

/** Refuses a name that nobody would look at. */
export function checkInScope(option: string, container: string, scope: SyncOptions['scope']): void {
  if (!scope.some((entry) => entry.container === container)) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `The option ${option} names the container ${JSON.stringify(container)}, which is not in the scope. Add it to the scope, or correct the name.`,
    );
  }
}

function checkPolicies({ policy, policies = {}, scope }: SyncOptions): void {
  for (const [container, one] of Object.entries({ ...policies })) {
    checkInScope('policies', container, scope);
    checkPolicy(`policies[${JSON.stringify(container)}]`, one);
  }
  checkPolicy('policy', policy);
}

function checkPolicy(name: string, policy: ConflictPolicy | undefined): void {
  if (policy !== undefined && typeof policy !== 'function') {
    throw new PerigeeError('INVALID_OPTION', `The option ${name} is a function, such as lastWriteWins or mergeFields().`);
  }
}

/** Checks options, those apart of `special-options.ts`, and fills the defaults in. @throws INVALID_OPTION */
export function checkOptions(options: SyncOptions): FilledOptions {
  if (typeof options.user !== 'string' || options.user.trim() === '') {
    throw new PerigeeError('INVALID_OPTION', 'The option user names the user whose file this is, and is not blank.');
  }
  if (!Array.isArray(options.scope) || options.scope.length === 0) {
    throw new PerigeeError('INVALID_OPTION', 'The option scope lists one partition key or more.');
  }
  checkPolicies(options);
  if (options.requestUnitsPerMinute !== undefined && !(options.requestUnitsPerMinute > 0)) {
    throw new PerigeeError('INVALID_OPTION', 'The option requestUnitsPerMinute is a number above 0.');
  }
  return {
    ...options,
    database: options.database ?? 'sync',
    runtime: options.runtime ?? options.backend.runtime,
    containers: options.containers ?? [],
    localContainers: options.localContainers ?? [],
    tombstoneTtlSeconds: wholeNumber('tombstoneTtlSeconds', options.tombstoneTtlSeconds ?? 90 * DAY_SECONDS, 1, MAX_TTL_SECONDS),
    reconcileIntervalMs: wholeNumber('reconcileIntervalMs', options.reconcileIntervalMs ?? 6 * HOUR_MS, 0),
    clockToleranceMs: wholeNumber('clockToleranceMs', options.clockToleranceMs ?? 5000, 0),
    markerIntervalMs: wholeNumber('markerIntervalMs', options.markerIntervalMs ?? 60_000, 0),
    pageItems: wholeNumber('pageItems', options.pageItems ?? 5 * STORE_LIMITS.defaultPageItems, 1),
    lockTimeoutMs: wholeNumber('lockTimeoutMs', options.lockTimeoutMs ?? 10_000, 0),
    stallTimeoutMs: wholeNumber('stallTimeoutMs', options.stallTimeoutMs ?? 120_000, 0),
  };
}
