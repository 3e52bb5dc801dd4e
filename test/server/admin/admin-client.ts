import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import type { Served } from '../served.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A request to an admin route as a person sends it, with the key as a bearer token; `null` for none. */
export async function admin(
  { server }: Pick<Served, 'server'>,
  method: string,
  path: string,
  body?: unknown,
  key: string | null = WELL_KNOWN_KEY,
): Promise<AdminAnswer> {
  const response = await fetch(`${server.url}/_perigee/${path}`, {
    method,
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  let json: unknown = text;
  try {
    json = JSON.parse(text);
  } catch {
    // No JSON, or several lines of it.
  }
  return { status: response.status, headers: response.headers, body: json };
}
