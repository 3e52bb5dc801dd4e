import type { Draw } from './draw.ts';
import { junkHeader, junkJson, junkSegment } from './junk.ts';
import type { PlainRequest } from './requests.ts';

const METHODS: readonly string[] = 'GET POST PUT PATCH DELETE HEAD OPTIONS TRACE PROPFIND MKCOL LOCK SEARCH PURGE SUBSCRIBE REPORT'.split(
  ' ',
);

type Mutation = (request: PlainRequest, draw: Draw) => PlainRequest;

function changePath(request: PlainRequest, draw: Draw): PlainRequest {
  const parts = request.path.split('/');
  const at = draw.below(parts.length + 1);
  switch (draw.below(6)) {
    case 0:
      parts.splice(at, 0, junkSegment(draw));
      break;
    case 1:
      parts.splice(at, 1);
      break;
    case 2:
      parts.splice(at, 0, ...parts.slice(at));
      break;
    case 3:
      return { ...request, path: draw.chance(0.5) ? `/${request.path}` : `${request.path}/` };
    case 4:
      return { ...request, path: draw.chance(0.5) ? request.path.toUpperCase() : `${request.path}?${junkSegment(draw)}` };
    default:
      parts[Math.min(at, parts.length - 1)] = junkSegment(draw);
  }
  const path = parts.join('/');
  return { ...request, path: path.startsWith('/') ? path : `/${path}` };
}

function changeHeaders(request: PlainRequest, draw: Draw): PlainRequest {
  const headers = Array.from(request.headers);
  const at = draw.below(headers.length);
  switch (draw.below(8)) {
    case 0:
      headers.splice(at, 1);
      break;
    case 1:
      headers.push(...headers);
      break;
    case 2: {
      const count = draw.size(150);
      headers.push(...Array.from({ length: count }, (_, index) => [`x-${index}`, String(index)] as const));
      break;
    }
    default: {
      const [name, value] = junkHeader(draw);
      const kept = draw.chance(0.9) ? headers.filter(([other]) => other !== name) : headers;
      return { ...request, headers: [...kept, [name, value]] };
    }
  }
  return { ...request, headers };
}

function changeBody(request: PlainRequest, draw: Draw): PlainRequest {
  const text = String(request.body ?? '');
  switch (draw.below(7)) {
    case 0:
      return { ...request, body: junkJson(draw) };
    case 1: {
      const bytes = Buffer.from(text);
      for (let count = 1 + draw.size(20); count > 0 && bytes.length > 0; count -= 1) {
        bytes[draw.below(bytes.length)] = draw.below(256);
      }
      return { ...request, body: bytes };
    }
    case 2:
      return { ...request, body: text.slice(0, draw.below(text.length + 1)) };
    case 3:
      return { ...request, body: draw.chance(0.02) ? 'x'.repeat(2_400_000) : draw.bytes(draw.size(2000)) };
    default: {
      // Puts something else in the place of a value.
      const values = Array.from(text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\{\}|\[\]|true|false|null/gu));
      if (values.length === 0) {
        return { ...request, body: junkJson(draw) };
      }
      const value = draw.pick(values);
      const end = value.index + value[0].length;
      return { ...request, body: text.slice(0, value.index) + junkJson(draw) + text.slice(end) };
    }
  }
}

/** Takes words of the query away, doubles them, or puts others there. */
function changeQuery(request: PlainRequest, draw: Draw): PlainRequest {
  const text = String(request.body ?? '');
  const match = /"query":"((?:[^"\\]|\\.)*)"/u.exec(text);
  if (match === null) {
    return changeBody(request, draw);
  }
  const words = (match[1] as string).split(/\b/u);
  for (let count = 1 + draw.below(4); count > 0; count -= 1) {
    const at = draw.below(words.length);
    const other = draw.pick([
      '(',
      ')',
      "'",
      '*',
      '/*',
      '--',
      'SELECT',
      'FROM',
      'c',
      '.',
      '[',
      '@k',
      'udf.f(1)',
      '1e999',
      'ORDER BY',
      'JOIN x IN c',
      'REPEAT(c.text, 100)',
      '😀',
    ]);
    words.splice(at, draw.below(2), draw.chance(0.4) ? (words[draw.below(words.length)] as string) : other);
  }
  return { ...request, body: text.replace(match[0], () => `"query":${JSON.stringify(words.join(''))}`) };
}

function changeMethod(request: PlainRequest, draw: Draw): PlainRequest {
  return { ...request, method: draw.pick(METHODS) };
}

const MUTATIONS: readonly Mutation[] = [
  changePath,
  changePath,
  changeHeaders,
  changeHeaders,
  changeHeaders,
  changeBody,
  changeBody,
  changeQuery,
  changeMethod,
];

/** Whether a request would take away what all the others are about, so that they reach nothing. */
function isRuin({ method, path }: PlainRequest): boolean {
  return method === 'DELETE' && /^\/+dbs\/fuzz(?:\/colls\/c)?\/?$/u.test(path);
}

/** A request with one to three things changed; any status but a failure of the server may come of it. */
export function mutate(request: PlainRequest, draw: Draw): PlainRequest {
  let changed = request;
  for (let count = 1 + draw.below(3); count > 0; count -= 1) {
    changed = draw.pick(MUTATIONS)(changed, draw);
  }
  return isRuin(changed) ? request : changed;
}
