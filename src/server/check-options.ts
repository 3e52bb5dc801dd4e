import { PerigeeError } from '../core/errors.ts';
import type { OrderByMode } from '../store/queries.ts';
import { WELL_KNOWN_KEY, type ServerOptions } from './server-options.ts';

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message);
}

/** Options with their defaults. */
export interface CheckedOptions {
  readonly port: number;
  readonly host: string;
  readonly key: Uint8Array;
  readonly maxBodyBytes: number;
  readonly closeTimeoutMs: number;
  readonly orderBy: OrderByMode;
}

const DEFAULT_PORT = 8081;
/** A document or a batch of 2 MB, and what a batch puts around 100 documents. */
const DEFAULT_MAX_BODY_BYTES = (2048 + 256) * 1024;
const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/u.test(host);
}

function decodeKey(key: string): Uint8Array {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length === 0 || bytes.toString('base64').replaceAll('=', '') !== key.replaceAll('=', '')) {
    throw invalid('Cannot use the master key: it is not base64.');
  }
  return bytes;
}

/** Checks what a caller gave. @throws INVALID_OPTION */
export function checkOptions(options: ServerOptions): CheckedOptions {
  const { port = DEFAULT_PORT, host = '127.0.0.1', key = WELL_KNOWN_KEY } = options;
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES, closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, orderBy = 'policy' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw invalid('Cannot listen: a port is a whole number from 0 to 65535; 0 takes a free one.');
  }
  if (!isLoopback(host) && key === WELL_KNOWN_KEY) {
    throw invalid(
      `Cannot listen on ${JSON.stringify(host)} with the well-known key: everybody knows it. Give a key of your own, or listen on 127.0.0.1.`,
    );
  }
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 1) {
    throw invalid('maxBodyBytes is a whole number from 1.');
  }
  if (!(closeTimeoutMs >= 0)) {
    throw invalid('closeTimeoutMs is a number from 0.');
  }
  if (!['strict', 'policy', 'lenient'].includes(orderBy)) {
    throw invalid('orderBy is "strict", "policy" or "lenient".');
  }
  return { port, host, key: decodeKey(key), maxBodyBytes, closeTimeoutMs, orderBy };
}
