import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';
import { throughputOfHeaders, type Throughput } from './throughput.ts';

/** The throughput that a request to create a database or container asks for; `undefined` for none. @throws BAD_REQUEST */
export function throughputOfRequest({ headers }: RequestContext): Throughput | undefined {
  return throughputOfHeaders(header(headers, 'x-ms-offer-throughput'), header(headers, 'x-ms-cosmos-offer-autopilot-settings'));
}
