import { ERROR_FACTS } from '../../core/error-facts.ts';
import type { PerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';

/** A request, from whatever server. */
export interface ServiceRequest {
  readonly method: string;
  /** Headers by name, or as pairs; names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> | Iterable<readonly [string, string]>;
  /** Text, bytes, chunks of either, or JSON that something before has read already. */
  readonly body?: string | Uint8Array | AsyncIterable<unknown> | JsonObject | null | undefined;
}

/** An answer, for whatever server. */
export interface ServiceResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** An answer of JSON that nobody may keep. */
export function jsonResponse(
  status: number,
  body: Readonly<Record<string, JsonValue | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): ServiceResponse {
  return { status, headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
}

/** The answer that says what went wrong. */
export function errorResponse({ code, message, status, retryAfterMs }: PerigeeError): ServiceResponse {
  return jsonResponse(
    status,
    { code, message, retryable: ERROR_FACTS[code].retryable, retryAfterMs },
    {
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(status === 405 ? { allow: 'POST' } : {}),
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    },
  );
}
