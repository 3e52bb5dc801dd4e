import type { Draw } from './draw.ts';

/** Parts of paths, as they are sent. */
const SEGMENTS: readonly string[] = [
  ...'dbs colls docs users permissions sprocs triggers udfs conflicts pkranges offers clientencryptionkeys operations fuzz c trees d1 _perigee'.split(
    ' ',
  ),
  ...'%00 %2F %5C %23 %3F %25 %20 %0a %0d%0a %09 %7f %c3%28 %ff %e9%b1%80 %F0%9F%98%80 %ed%a0%80 % %z %zz %1 %2525 %252F %u0041'.split(' '),
  ...'. .. ... ?x=y # #docs ; @ : * ~ $ ! __proto__ constructor toString hasOwnProperty null undefined AAAAAA== AAAAAAAAAAA= - + =='.split(
    ' ',
  ),
  '',
];

const NUMBERS: readonly string[] =
  '0 1 -1 -2 2 100 1000 1e3 1e9 1e308 1e999 -0 0.5 NaN Infinity 0x10 9007199254740993 99999999999999999999 007 1,2 １'.split(' ');

const WORDS: readonly string[] = [
  ...'true True false null undefined * "" "*" [] {} a , ; : = & % %% %ff %00 %zz %E0%A4%A Incremental~Feed Full-Fidelity~Feed'
    .split(' ')
    .map((word) => word.replace('~', ' ')),
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Sat, 31 Feb 9999 25:61:61 GMT',
  '2020-01-01',
  'Session',
  'Strong',
  '\t',
  ' ',
  '',
];

const KEYS: readonly string[] = [
  ...'[ ] [] [[]] [{}] [null] ["a"] ["b"] ["a","b"] ["a","b","c"] ["a","b","c","d"] [{},{}] [1] [1.5] [1e999] [NaN] [true] [-0] "a" a {} {"a":1} null'.split(
    ' ',
  ),
  '["\\u0000"]',
  '["\\ud800"]',
  '["\\uD83D\\uDE00"]',
  '["a',
  '[{"a":1}]',
  `[${'['.repeat(2000)}`,
  `["${'k'.repeat(5000)}"]`,
];

const RANGES: readonly string[] = ['', 'FF', '00', '0', 'GG', 'ff', '05C1DFFFFFFFFC', '3F', 'F'.repeat(500), '0,1', '-1', '1', 'abc'];

const TOKENS: readonly string[] = [
  '0:-1#1',
  '0:-1#99999999999999999999',
  '0:',
  ':',
  '::::#',
  '0:-1#1,0:-1#2',
  '9:-1#5',
  '0:1#2#3=4',
  '{"rid":"x"}',
  'eyJ2IjoxfQ==',
  '"0"',
  'W/"1"',
  '%7B%22v%22%3A1%7D',
];

/** Headers that the server looks at, and what is bad for each. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'x-ms-documentdb-partitionkey': KEYS,
  'x-ms-documentdb-partitionkeyrangeid': RANGES,
  'x-ms-start-epk': RANGES,
  'x-ms-end-epk': RANGES,
  'x-ms-continuation': TOKENS,
  'x-ms-session-token': TOKENS,
  'if-match': TOKENS,
  'if-none-match': TOKENS,
  'if-modified-since': WORDS,
  'a-im': WORDS,
  'x-ms-max-item-count': NUMBERS,
  'x-ms-documentdb-responsecontinuationtokenlimitinkb': NUMBERS,
  'x-ms-offer-throughput': NUMBERS,
  'x-ms-cosmos-offer-autopilot-settings': ['{"maxThroughput":1e99}', '{', 'null', '[]'],
  'x-ms-documentdb-expiry-seconds': NUMBERS,
  'x-ms-documentdb-isquery': WORDS,
  'x-ms-cosmos-is-query-plan-request': WORDS,
  'x-ms-documentdb-query-enablecrosspartition': WORDS,
  'x-ms-documentdb-is-upsert': WORDS,
  'x-ms-cosmos-is-batch-request': WORDS,
  'x-ms-cosmos-batch-atomic': WORDS,
  'x-ms-cosmos-batch-continue-on-error': WORDS,
  'x-ms-documentdb-populatequerymetrics': WORDS,
  'x-ms-documentdb-populatequotainfo': WORDS,
  'x-ms-documentdb-pre-trigger-include': WORDS,
  'x-ms-documentdb-post-trigger-include': WORDS,
  'x-ms-documentdb-script-enable-logging': WORDS,
  'x-ms-consistency-level': WORDS,
  'x-ms-indexing-directive': WORDS,
  'x-ms-cosmos-priority-level': WORDS,
  'x-ms-cosmos-intended-collection-rid': TOKENS,
  'x-ms-version': ['2020-07-15', '2018-06-18', '1', ''],
  'x-ms-read-key-type': ['EffectivePartitionKeyRange', 'x'],
  'content-type': ['application/query+json', 'application/json', 'text/html', 'multipart/form-data; boundary=x', ';', ''],
  accept: ['*/*', 'text/html', ''],
  'accept-encoding': ['gzip', 'identity;q=0', ''],
  prefer: ['return=minimal', 'x'],
  range: ['bytes=0-1'],
  cookie: ['a=b; __proto__=c'],
  traceparent: [
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-0000000000000000-00',
    'ff-x',
    '',
  ],
  expect: ['100-continue', 'x', ''],
  'x-http-method-override': ['DELETE'],
  'x-forwarded-host': ['evil.test'],
  ['__proto__']: ['x'],
  constructor: ['x'],
};
const HEADER_NAMES: readonly string[] = Object.getOwnPropertyNames(HEADERS);

/** A part of a path that may be anything. */
export function junkSegment(draw: Draw): string {
  if (draw.chance(0.1)) {
    return draw.pick(['a', '%20', '%e9%b1%80', '/', 'x?']).repeat(1 + draw.size(3000));
  }
  return draw.chance(0.2) ? encodeURIComponent(draw.token(1 + draw.size(40))) : draw.pick(SEGMENTS);
}

/** A header, with a value that is wrong for it or for something else. */
export function junkHeader(draw: Draw): readonly [string, string] {
  const name = draw.pick(HEADER_NAMES);
  if (draw.chance(0.1)) {
    return [name, draw.token(draw.size(6000))];
  }
  if (draw.chance(0.05)) {
    // Bytes above ASCII are allowed in a header, and mean nothing.
    return [name, String.fromCharCode(...draw.bytes(1 + draw.size(60)).map((byte) => byte | 0x80))];
  }
  const other = draw.chance(0.2) ? draw.pick(HEADER_NAMES) : name;
  return [name, draw.pick(HEADERS[other] as readonly string[])];
}

/** JSON text of a value that a request does not expect. */
export function junkJson(draw: Draw): string {
  switch (draw.below(14)) {
    case 0:
      return draw.pick(NUMBERS);
    case 1:
      return '['.repeat(1 + draw.size(20_000));
    case 2: {
      const depth = 1 + draw.size(3000);
      return '[{"a":'.repeat(depth) + '1' + '}]'.repeat(depth);
    }
    case 3:
      return JSON.stringify('x'.repeat(draw.size(100_000)));
    case 4:
      return draw.pick(['"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', '"\t"', '"\\u00"', '"', "'a'"]);
    case 5:
      return draw.pick(['{"__proto__":{"x":1}}', '{"constructor":1,"toString":2}', '{"id":"a","id":"b"}', '{"":""}', '{"a":1,}', '{,}']);
    case 6:
      return `[${Array.from({ length: draw.size(3000) }, () => '{}').join(',')}]`;
    case 7:
      return `{${Array.from({ length: draw.size(2000) }, (_, index) => `"p${index}":${index}`).join(',')}}`;
    case 8:
      return draw.pick(['null', 'true', 'false', '{}', '[]', '""', ' ', '', '\ufeff{}', '{}{}', 'undefined', '//', '1 2']);
    case 9:
      return JSON.stringify(draw.pick(['id', 'k', '/a', '/a/b/-', '/', '', 'from c', "' OR 1=1 --", '\u2028', '\u0000', '😀']));
    default:
      return JSON.stringify(draw.token(draw.size(50)));
  }
}
