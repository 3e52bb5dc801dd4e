import { PerigeeError } from '../../core/errors.ts';
import { readChunks } from '../read-bounded.ts';
import type { ServiceRequest } from './service-messages.ts';

function isIterable(value: object): value is Iterable<readonly [string, string]> {
  return Symbol.iterator in value;
}

function isChunks(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

/** Headers by their names in lower case; a repeated one has all its values. @throws TOO_LARGE */
export function readHeaders({ headers }: ServiceRequest, maxCharacters: number): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  let characters = 0;
  for (const [name, value] of isIterable(headers) ? headers : Object.entries(headers)) {
    const text = Array.isArray(value) ? value.join(', ') : (value as string | undefined);
    if (text === undefined) {
      continue;
    }
    characters += name.length + text.length;
    if (characters > maxCharacters) {
      throw new PerigeeError('TOO_LARGE', `The headers of the request have more than ${maxCharacters} characters.`, { status: 431 });
    }
    const key = name.toLowerCase();
    const earlier = found.get(key);
    found.set(key, earlier === undefined ? text : `${earlier}, ${text}`);
  }
  return Object.fromEntries(found);
}

function tooLarge(maxBytes: number): PerigeeError {
  return new PerigeeError('TOO_LARGE', `The body of the request has more than ${maxBytes} bytes.`);
}

/** The body as text, or as JSON where it came as that. @throws TOO_LARGE, BAD_REQUEST */
export async function readBody({ body }: ServiceRequest, headers: Readonly<Record<string, string>>, maxBytes: number): Promise<unknown> {
  if (Number(headers['content-length'] ?? 0) > maxBytes) {
    throw tooLarge(maxBytes);
  }
  if (body === undefined || body === null) {
    return '';
  }
  if (typeof body === 'object' && !(body instanceof Uint8Array) && !isChunks(body)) {
    return body;
  }
  let text: string | undefined;
  try {
    text = await readChunks(typeof body === 'object' && isChunks(body) ? body : single(body as string | Uint8Array), maxBytes);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', 'The body of the request did not arrive whole.', { cause });
  }
  if (text === undefined) {
    throw tooLarge(maxBytes);
  }
  return text;
}

async function* single(chunk: string | Uint8Array): AsyncGenerator<string | Uint8Array, void, undefined> {
  yield chunk;
}
