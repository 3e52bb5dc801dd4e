import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ContainerInfo } from '../store/backend.ts';
import { containerSelf } from '../store/resource-id.ts';
import { serverExtra, type ServerExtra } from './container-json.ts';

/** Throughput of a container that was made without one, in request units a second. */
const DEFAULT_THROUGHPUT = 400;

/** The id of a container's offer: its resource id without the padding. */
export function offerId(info: ContainerInfo): string {
  return info.rid.replace(/[=]+$/u, '');
}

/** The throughput of a container as clients see it. Nothing is throttled by it. */
export function offerJson(info: ContainerInfo): JsonObject {
  const { throughput, autoscaleMaxThroughput } = serverExtra(info.definition);
  const id = offerId(info);
  return {
    resource: containerSelf(info.rid),
    offerType: 'Invalid',
    offerResourceId: info.rid,
    offerVersion: 'V2',
    content: {
      offerThroughput: autoscaleMaxThroughput === undefined ? (throughput ?? DEFAULT_THROUGHPUT) : Math.ceil(autoscaleMaxThroughput / 10),
      offerIsRUPerMinuteThroughputEnabled: false,
      ...(autoscaleMaxThroughput === undefined ? {} : { offerAutopilotSettings: { maxThroughput: autoscaleMaxThroughput } }),
    },
    id,
    _rid: id,
    _self: `offers/${id}/`,
    _etag: info.etag,
    _ts: info.ts,
  };
}

function units(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < DEFAULT_THROUGHPUT || number % 100 !== 0) {
    throw new PerigeeError('BAD_REQUEST', 'A throughput is a multiple of 100 request units a second, from 400.');
  }
  return number;
}

/** The throughput that headers ask for when a container is made. @throws BAD_REQUEST */
export function throughputOfHeaders(throughput: string | undefined, autoscale: string | undefined): ServerExtra {
  if (autoscale !== undefined) {
    return { autoscaleMaxThroughput: maxThroughput(parseSettings(autoscale)) };
  }
  return throughput === undefined ? {} : { throughput: units(throughput) };
}

function parseSettings(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', 'The header x-ms-cosmos-offer-autopilot-settings is not JSON.', { cause });
  }
}

function maxThroughput(settings: unknown): number {
  return units(isJsonObject(settings) ? settings['maxThroughput'] : undefined);
}

/** The throughput in the body of an offer that is to be replaced. @throws BAD_REQUEST */
export function throughputOfBody(body: JsonObject, info: ContainerInfo): ServerExtra {
  const content = body['content'];
  if (body['offerResourceId'] !== info.rid || (body['_rid'] !== undefined && body['_rid'] !== offerId(info))) {
    throw new PerigeeError('BAD_REQUEST', 'The offer in the body is not the one in the path.');
  }
  if (!isJsonObject(content)) {
    throw new PerigeeError('BAD_REQUEST', 'The body of an offer has an object "content".');
  }
  const settings = content['offerAutopilotSettings'];
  return isJsonObject(settings) ? { autoscaleMaxThroughput: maxThroughput(settings) } : { throughput: units(content['offerThroughput']) };
}
