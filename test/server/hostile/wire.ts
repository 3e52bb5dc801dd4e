import { sign } from '../sign.ts';
import type { Draw } from './draw.ts';
import type { PlainRequest } from './requests.ts';

/** Whether the server can take a request for one of an authorised client. */
export type Authority = 'signed' | 'none' | 'wrong';

/** A request as bytes, and what is known of its answer. */
export interface WireRequest {
  readonly method: string;
  readonly bytes: Buffer;
  readonly authority: Authority;
  /** For people. */
  readonly title: string;
}

const WRONG: readonly string[] = [
  'type%3Dmaster%26ver%3D1.0%26sig%3DAAAA',
  'type%3Dmaster%26ver%3D1.0%26sig%3D',
  'type=resource&ver=1&sig=x==;y==;',
  'type%3Daad%26ver%3D1.0%26sig%3DeyJhbGciOiJub25lIn0.e30.',
  'Bearer abc',
  'Basic YTpi',
  '%',
  '%ff',
  '&&&===',
  'type',
  'null',
];

const DATES: readonly string[] = ['', 'x', 'Thu, 01 Jan 1970 00:00:00 GMT', '9999-12-31', '-1', 'NaN'];

function authorization(request: PlainRequest, authority: Authority, date: string, draw: Draw): readonly string[] {
  if (authority === 'none') {
    return draw.chance(0.5) ? [] : [`x-ms-date: ${draw.chance(0.5) ? date : draw.pick(DATES)}`];
  }
  if (authority === 'signed') {
    return [`x-ms-date: ${date}`, `authorization: ${sign(request.method, request.path, date)}`];
  }
  switch (draw.below(4)) {
    case 0:
      return [`x-ms-date: ${date}`, `authorization: ${draw.token(1 + draw.size(3000))}`];
    case 1:
      // Signed for another method.
      return [`x-ms-date: ${date}`, `authorization: ${sign(`${request.method}X`, request.path, date)}`];
    case 2:
      return [`x-ms-date: ${draw.pick(DATES)}`, `authorization: ${sign(request.method, request.path, date)}`];
    default:
      return [`x-ms-date: ${date}`, `authorization: ${draw.pick(WRONG)}`];
  }
}

/** A body in chunks of any size, with what chunks may carry beside it. */
export function chunked(body: Buffer, draw: Draw): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const length = 1 + draw.size(Math.min(body.length - at, 60_000) - 1);
    const size = draw.chance(0.3) ? `000${length.toString(16).toUpperCase()};name=value` : length.toString(16);
    parts.push(Buffer.from(`${size}\r\n`), body.subarray(at, at + length), Buffer.from('\r\n'));
    at += length;
  }
  parts.push(Buffer.from(draw.chance(0.2) ? '0\r\nx-trailer: 1\r\nauthorization: late\r\n\r\n' : '0\r\n\r\n'));
  return Buffer.concat(parts);
}

/** Writes a request as it must be written; what it says may be wrong. */
export function toWire(request: PlainRequest, authority: Authority, draw: Draw): WireRequest {
  const date = new Date().toUTCString();
  let credential: readonly string[];
  let actual: Authority = authority === 'signed' && request.isUnsigned === true ? 'none' : authority;
  try {
    credential = authorization(request, actual, date, draw);
  } catch {
    // What cannot be decoded cannot be signed.
    credential = [];
    actual = 'none';
  }
  const body = request.body === undefined ? undefined : Buffer.from(request.body as string);
  const inChunks = body !== undefined && draw.chance(0.1);
  const lines = [
    `${request.method} ${request.path} HTTP/1.1`,
    'Host: localhost',
    ...credential,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const content = body === undefined ? [] : [inChunks ? chunked(body, draw) : body];
  return {
    method: request.method,
    bytes: Buffer.concat([head, ...content]),
    authority: actual,
    title: `${request.method} ${request.path.slice(0, 80)} (${actual})`,
  };
}
