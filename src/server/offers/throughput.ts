import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';

/** The throughput of a container or a database, in request units a second: manual, or up to a maximum that the service follows by itself. */
export type Throughput = { readonly throughput: number } | { readonly autoscaleMaxThroughput: number };

/** Throughput of a container that was made without one. */
export const DEFAULT_THROUGHPUT: Throughput = { throughput: 400 };

/** Request units a second that one physical partition serves at most, and those for which a new container is given one. */
const MAX_PARTITION_UNITS = 10_000;
const NEW_PARTITION_UNITS = 6000;
const MANUAL = { least: 400, step: 100 };
const AUTOSCALE = { least: 1000, step: 1000 };

/** Request units a second that may be used. */
export function maxUnits(throughput: Throughput): number {
  return 'throughput' in throughput ? throughput.throughput : throughput.autoscaleMaxThroughput;
}

/** How many partition key ranges a throughput takes at least: one for each 10,000 request units a second that are begun. */
export function partitionsFor(throughput: Throughput): number {
  return Math.ceil(maxUnits(throughput) / MAX_PARTITION_UNITS);
}

/** How many ranges a new container has: one up to 10,000 request units a second, and as the service then one for each 6,000 that are begun. */
export function partitionsOfNew(throughput: Throughput): number {
  const units = maxUnits(throughput);
  return units <= MAX_PARTITION_UNITS ? 1 : Math.ceil(units / NEW_PARTITION_UNITS);
}

function units(value: unknown, { least, step }: typeof MANUAL, what: string): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number % step !== 0 || number > 1_000_000 * 10) {
    throw new PerigeeError('BAD_REQUEST', `${what} is a multiple of ${step} request units a second, from ${least}.`);
  }
  return number;
}

function manual(value: unknown): Throughput {
  return { throughput: units(value, MANUAL, 'A throughput') };
}

function autoscale(settings: unknown): Throughput {
  const value = isJsonObject(settings) ? settings['maxThroughput'] : undefined;
  return { autoscaleMaxThroughput: units(value, AUTOSCALE, 'The maximum of an autoscale throughput') };
}

/** The throughput that headers ask for when a database or container is made; `undefined` for none. @throws BAD_REQUEST */
export function throughputOfHeaders(manualText: string | undefined, autoscaleText: string | undefined): Throughput | undefined {
  if (autoscaleText !== undefined) {
    if (manualText !== undefined) {
      throw new PerigeeError('BAD_REQUEST', 'A throughput is either manual or autoscale: send one of the two headers.');
    }
    return autoscale(parseSettings(autoscaleText));
  }
  return manualText === undefined ? undefined : manual(manualText);
}

function parseSettings(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', 'The header x-ms-cosmos-offer-autopilot-settings is not JSON.', { cause });
  }
}

/** Which way the headers of a request to replace an offer send it. */
export interface Migration {
  readonly toAutoscale: boolean;
  readonly toManual: boolean;
}

/**
 * The throughput in the `content` of an offer that takes the place of another. Between manual and autoscale it changes by a header alone, and
 * what it then is follows from what it was: the same maximum, rounded up to what the new kind can be.
 *
 * @throws BAD_REQUEST
 * @see https://learn.microsoft.com/azure/cosmos-db/how-to-provision-autoscale-throughput
 */
export function replacedThroughput(current: Throughput, content: unknown, { toAutoscale, toManual }: Migration): Throughput {
  if (!isJsonObject(content)) {
    throw new PerigeeError('BAD_REQUEST', 'The body of an offer has an object "content".');
  }
  if (toAutoscale && toManual) {
    throw new PerigeeError('BAD_REQUEST', 'An offer migrates to autoscale or to manual throughput: send one of the two headers.');
  }
  const settings = content['offerAutopilotSettings'];
  const isAutoscale = 'autoscaleMaxThroughput' in current;
  if (toManual) {
    return { throughput: maxUnits(current) };
  }
  if (toAutoscale) {
    if (isJsonObject(settings) && !isAutoscale) {
      throw migrationNeeded('autopilot', 'manual throughput to autoscale');
    }
    return { autoscaleMaxThroughput: Math.ceil(maxUnits(current) / AUTOSCALE.step) * AUTOSCALE.step };
  }
  if (isAutoscale) {
    if (!isJsonObject(settings)) {
      throw migrationNeeded('manual-throughput', 'autoscale to manual throughput');
    }
    return autoscale(settings);
  }
  if (isJsonObject(settings)) {
    throw migrationNeeded('autopilot', 'manual throughput to autoscale');
  }
  return manual(content['offerThroughput']);
}

/** In the service's words. */
function migrationNeeded(to: string, migration: string): PerigeeError {
  return new PerigeeError(
    'BAD_REQUEST',
    `x-ms-cosmos-migrate-offer-to-${to} must be supplied and offercontent must not contain autopilotSettings for migration from ${migration}.`,
  );
}

/** The `content` of an offer. */
export function contentOfThroughput(throughput: Throughput): JsonObject {
  const isAutoscale = 'autoscaleMaxThroughput' in throughput;
  return {
    offerThroughput: isAutoscale ? Math.ceil(throughput.autoscaleMaxThroughput / 10) : throughput.throughput,
    offerIsRUPerMinuteThroughputEnabled: false,
    ...(isAutoscale ? { offerAutopilotSettings: { maxThroughput: throughput.autoscaleMaxThroughput } } : {}),
  };
}
