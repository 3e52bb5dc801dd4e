import { sign } from '../sign.ts';
import type { Draw } from './draw.ts';
import { CONTAINER, DATABASE } from './requests.ts';

/** Bytes whose borders two readers could see in different places. */
export interface BrokenRequest {
  readonly name: string;
  readonly bytes: Buffer;
  /** How many of the requests in it may be answered with success. */
  readonly maxSuccesses: number;
}

const PATH = `/dbs/${DATABASE}/colls/${CONTAINER}/docs`;
/** Documents with this in their id must never come to be: nobody asked for them but inside the body of another request. */
export const SMUGGLED = 'smuggled';

/** A request that creates a document. `framing` stands where content-length would. */
function write(id: string, framing: (body: string) => string, bodyOf: (body: string) => string = (body) => body): string {
  const date = new Date().toUTCString();
  const body = JSON.stringify({ id, k: 'a' });
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'Host: localhost',
    `x-ms-date: ${date}`,
    `authorization: ${sign('POST', PATH, date)}`,
    'x-ms-documentdb-partitionkey: ["a"]',
    'x-ms-documentdb-is-upsert: true',
    framing(body),
  ];
  return `${head.join('\r\n')}\r\n\r\n${bodyOf(body)}`;
}

const hidden = (): string => write(SMUGGLED, (body) => `Content-Length: ${body.length}`);
const read = (extra: string): string => {
  const date = new Date().toUTCString();
  return `GET ${PATH}/d1 HTTP/1.1\r\nHost: localhost\r\nx-ms-date: ${date}\r\nauthorization: ${sign('GET', `${PATH}/d1`, date)}\r\nx-ms-documentdb-partitionkey: ["a"]\r\n${extra}\r\n`;
};
/** A request whose body holds another one; `framing` is what makes it ambiguous. */
const around = (framing: (length: number) => string, chunks = false): string => {
  const inner = hidden();
  const body = chunks ? `0\r\n\r\n${inner}` : inner;
  return write(
    'outer',
    () => framing(Buffer.byteLength(body)),
    () => body,
  );
};

type Case = readonly [name: string, make: (draw: Draw) => string, maxSuccesses: number];

/** Forms that RFC 9112 tells a server to refuse, or that others read differently. */
const CASES: readonly Case[] = [
  ['length and chunks', () => around((length) => `Content-Length: ${length}\r\nTransfer-Encoding: chunked`, true), 0],
  ['chunks and length', () => around((length) => `Transfer-Encoding: chunked\r\nContent-Length: ${length}`, true), 0],
  ['two lengths', () => around((length) => `Content-Length: ${length}\r\nContent-Length: 0`), 0],
  ['two lengths, the short one first', () => around((length) => `Content-Length: 0\r\nContent-Length: ${length}`), 0],
  ['a list of lengths', () => around((length) => `Content-Length: ${length}, ${length}`), 0],
  ['a length with a sign', () => around((length) => `Content-Length: +${length}`), 0],
  ['a length in hexadecimal', () => around((length) => `Content-Length: 0x${length.toString(16)}`), 0],
  ['a negative length', () => around(() => 'Content-Length: -1'), 0],
  ['a length beyond all numbers', () => around(() => 'Content-Length: 99999999999999999999999999'), 0],
  ['a length with a space inside', () => around((length) => `Content-Length: ${String(length).split('').join(' ')}`), 0],
  ['no length', () => around(() => 'Content-Length:'), 0],
  ['chunks by another name', () => around(() => 'Transfer-Encoding: xchunked', true), 0],
  ['chunks first', () => around(() => 'Transfer-Encoding: chunked, identity', true), 0],
  ['chunks twice', () => around(() => 'Transfer-Encoding: chunked, chunked', true), 0],
  ['chunks in two headers', () => around(() => 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', true), 0],
  ['chunks behind a tab', () => around((length) => `Transfer-Encoding:\tchunked\r\nContent-Length: ${length}`, true), 0],
  ['chunks behind a control character', () => around((length) => `Transfer-Encoding: \u000bchunked\r\nContent-Length: ${length}`, true), 0],
  ['a space before the colon', () => around((length) => `Content-Length: ${length}\r\nTransfer-Encoding : chunked`, true), 0],
  ['a folded header', () => around((length) => `Content-Length: ${length}\r\nX-A: b\r\n Transfer-Encoding: chunked`, true), 0],
  ['a folded framing', () => around((length) => `Transfer-Encoding:\r\n chunked\r\nContent-Length: ${length}`, true), 0],
  ['a header without a colon', () => around((length) => `Content-Length: ${length}\r\nchunked`), 0],
  ['a null byte in a header', () => around((length) => `Content-Length: ${length}\r\nX-A: a\u0000b`), 0],
  ['a null byte in a name', () => around((length) => `Content-Length: ${length}\r\nX-\u0000: a`), 0],
  ['a carriage return in a header', () => around((length) => `X-A: a\rContent-Length: ${length}`), 0],
  [
    'chunks without an end',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `${body.length.toString(16)}\r\n${body}\r\n`,
      ),
    0,
  ],
  [
    'a chunk size that is none',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `${body.length.toString(16)}g\r\n${body}\r\n0\r\n\r\n`,
      ),
    0,
  ],
  [
    'a chunk size beyond all numbers',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `FFFFFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`,
      ),
    0,
  ],
  [
    'a negative chunk size',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `-1\r\n${body}\r\n0\r\n\r\n`,
      ),
    0,
  ],
  [
    'chunks that are longer than they say',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `1\r\n${body}\r\n0\r\n\r\n`,
      ),
    0,
  ],
  [
    'extensions of a chunk without end',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `${body.length.toString(16)};${'x'.repeat(60_000)}\r\n${body}\r\n0\r\n\r\n`,
      ),
    0,
  ],
  [
    'line feeds alone between chunks',
    () =>
      write(
        'outer',
        () => 'Transfer-Encoding: chunked',
        (body) => `${body.length.toString(16)}\n${body}\n0\n\n`,
      ),
    1,
  ],
  ['line feeds alone', () => read('').replaceAll('\r\n', '\n'), 1],
  ['a body that is shorter than it says', () => write('outer', (body) => `Content-Length: ${body.length + 100}`), 0],
  ['a body with a read', () => read(`Content-Length: ${hidden().length}\r\n`) + hidden(), 1],
  ['two requests in one line', () => `GET ${PATH}/d1 HTTP/1.1 GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`, 0],
  ['no version', () => `GET ${PATH}/d1\r\n\r\n`, 0],
  ['version 0.9', () => read('').replace('HTTP/1.1', 'HTTP/0.9'), 0],
  ['version 2', () => read('').replace('HTTP/1.1', 'HTTP/2.0'), 0],
  ['version 1.2', () => read('').replace('HTTP/1.1', 'HTTP/1.2'), 0],
  ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 0],
  ['TLS', (draw) => `\u0016\u0003\u0001\u0002\u0000${draw.bytes(200).toString('latin1')}`, 0],
  ['a proxy', () => 'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 0],
  ['an upgrade', () => read('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n'), 1],
  ['an upgrade to HTTP/2', () => read('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'), 1],
  ['a target without a slash', () => read('').replace(PATH, PATH.slice(1)), 0],
  ['a target with a space', () => read('').replace('/d1', '/d 1'), 0],
  ['a target with a null byte', () => read('').replace('/d1', '/d\u0000'), 0],
  ['a target with bytes above ASCII', () => read('').replace('/d1', '/d\u00e9'), 0],
  ['an absolute target of another host', () => read('').replace(' /dbs', ' http://evil.test/dbs'), 0],
  ['two hosts', () => read('Host: evil.test\r\n'), 0],
  ['another host', () => read('').replace('localhost', 'evil.test'), 0],
  ['no host', () => read('').replace('Host: localhost\r\n', ''), 0],
  ['another origin', () => read('Origin: http://evil.test\r\n'), 0],
  ['headers beyond count', () => read('x: y\r\n'.repeat(2500)), 0],
  ['headers beyond size', (draw) => read(`x: ${'y'.repeat(70_000 + draw.size(300_000))}\r\n`), 0],
  ['a target beyond size', () => read('').replace('/d1', `/${'d'.repeat(100_000)}`), 0],
  ['a method that there is not', () => read('').replace('GET', 'GETS'), 0],
  ['a method in lower case', () => read('').replace('GET', 'get'), 0],
  ['blank lines before', () => `\r\n\r\n\r\n${read('')}`, 1],
  ['spaces before', () => ` ${read('')}`, 0],
  ['bytes of no meaning', (draw) => draw.bytes(1 + draw.size(5000)).toString('latin1'), 0],
  ['a body announced beyond the limit', () => write('outer', () => 'Content-Length: 99999999999'), 0],
  ['close, and more', () => read('Connection: close\r\n') + hidden(), 1],
];

/** One of the forms, with a byte or two of its head changed now and then. */
export function brokenRequest(draw: Draw): BrokenRequest {
  const [name, make, maxSuccesses] = draw.pick(CASES);
  const bytes = Buffer.from(make(draw), 'latin1');
  if (draw.chance(0.7)) {
    return { name, bytes, maxSuccesses };
  }
  // Anything can become of it, but no hidden request may come out: none of these bytes is where it would be cut off.
  const flipped = Buffer.from(read(`X-A: ${draw.token(30)}\r\n`), 'latin1');
  for (let count = 1 + draw.below(3); count > 0; count -= 1) {
    flipped[draw.below(flipped.length)] = draw.below(256);
  }
  return { name: 'bytes of a head changed', bytes: flipped, maxSuccesses: 1 };
}

export const BROKEN_CASES: readonly Case[] = CASES;
