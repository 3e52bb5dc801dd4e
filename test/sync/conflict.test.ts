import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatStamp, type HlcStamp } from '../../src/core/hybrid-logical-clock.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { StoredDocument } from '../../src/store/document.ts';
import { lastWriteWins } from '../../src/sync/decide/conflict-policies.ts';
import { conflictOf, decide, type Decision, type DecisionRules, type PendingVersion } from '../../src/sync/decide/conflict.ts';
import {
  bodyOf,
  clampStamp,
  digestOf,
  readRemote,
  remoteOrder,
  stampedDocument,
  type RemoteVersion,
} from '../../src/sync/remote/wire-stamp.ts';

const rules: DecisionRules = {
  container: 'notes',
  partitionKey: ['ada'],
  id: 'n1',
  policy: lastWriteWins,
  toleranceMs: 5000,
  serverNowMs: 2_000_000,
};

const at = (timeMs: number, device = 'phone', counter = 0): HlcStamp => ({ timeMs, counter, device });

function stored(document: JsonObject, ts: number, etag = '"r"'): StoredDocument {
  return { ...document, id: 'n1', _rid: 'r', _self: 's', _etag: etag, _attachments: 'a', _ts: ts } as StoredDocument;
}

const body = (text: string): JsonObject => ({ id: 'n1', owner: 'ada', text });

function remote(
  text: string,
  stamp: HlcStamp | undefined,
  ts: number,
  options: { write?: string; deleted?: boolean; etag?: string } = {},
): RemoteVersion {
  const document =
    stamp === undefined ? body(text) : stampedDocument(body(text), stamp, options.write ?? formatStamp(stamp), options.deleted ?? false);
  return readRemote(stored(document, ts, options.etag), undefined);
}

function pending(text: string | undefined, stamp: HlcStamp, more: Partial<PendingVersion> = {}): PendingVersion {
  return {
    deleted: text === undefined,
    body: text === undefined ? undefined : body(text),
    stamp,
    write: formatStamp(stamp),
    sent: [],
    baseEtag: '"base"',
    anew: false,
    ...more,
  };
}

describe('the stamp on the wire', () => {
  test('what was stamped is read back, and the body comes back as it was', () => {
    const version = remote('hello', at(1_500_000), 1500);
    expect(version.body).toEqual(body('hello'));
    expect(remoteOrder(version, 5000)).toEqual({ stamp: at(1_500_000), write: formatStamp(at(1_500_000)) });
  });

  test('the digest does not depend on the order of properties, and does on every value', () => {
    expect(digestOf({ id: '1', a: 1, b: [1, { c: null }] })).toBe(digestOf({ b: [1, { c: null }], a: 1, id: '1' }));
    expect(digestOf({ id: '1', a: 1 })).not.toBe(digestOf({ id: '1', a: '1' }));
  });

  test('somebody who edits our version and keeps the stamp is a foreign writer, ordered by _ts', () => {
    const edited = { ...stampedDocument(body('ours'), at(1_500_000), 'w', false), text: 'theirs' };
    expect(remoteOrder(readRemote(stored(edited, 1600), undefined), 5000)).toEqual({ stamp: at(1_600_000, ''), write: '' });
  });

  test('an edited tombstone is a living document again', () => {
    const tombstone = stampedDocument({ id: 'n1', owner: 'ada', ttl: 60 }, at(1_500_000), 'w', true);
    expect(readRemote(stored(tombstone, 1500), undefined).deleted).toBe(true);
    expect(readRemote(stored({ ...tombstone, text: 'back' }, 1501), undefined).deleted).toBe(false);
  });

  test('a malformed stamp is a foreign write and nothing worse', () => {
    for (const wire of [null, 7, 'x', [], {}, { clock: 'later', write: 'w', digest: 'd' }, { clock: 1, write: 2, digest: 3 }]) {
      expect(remoteOrder(readRemote(stored({ ...body('x'), _perigee: wire } as JsonObject, 1700), undefined), 5000).write).toBe('');
    }
  });

  test('keys such as __proto__ go there and back', () => {
    const odd = JSON.parse('{"id":"n1","__proto__":{"x":1},"10":2}') as JsonObject;
    const sent = JSON.parse(JSON.stringify(stampedDocument(odd, at(1), 'w', false))) as JsonObject;
    expect(JSON.stringify(bodyOf(sent))).toBe(JSON.stringify(odd));
  });
});

describe('who stays', () => {
  const table: readonly (readonly [string, PendingVersion, RemoteVersion | undefined, Decision])[] = [
    ['the remote has what the write follows', pending('l', at(1)), remote('r', at(9), 1, { etag: '"base"' }), 'follows'],
    ['the remote has this very write', pending('l', at(1), { write: 'w' }), remote('l', at(1), 1, { write: 'w' }), 'acknowledged'],
    [
      'the remote has an earlier write of this document that was sent',
      pending('l', at(9), { sent: ['w'] }),
      remote('r', at(1), 1, { write: 'w' }),
      'follows',
    ],
    ['the remote has another write of this device, not known as sent', pending('l', at(9)), remote('r', at(1), 1, { write: 'w' }), 'local'],
    ['both sides say the same', pending('same', at(1)), remote('same', at(9), 1), 'equal'],
    ['both sides deleted it', pending(undefined, at(1)), remote('', at(9), 1, { deleted: true }), 'equal'],
    ['the remote lost it, and it is deleted here', pending(undefined, at(1)), undefined, 'equal'],
    ['the remote lost it, and it was edited here', pending('l', at(9)), undefined, 'remote-deleted'],
    ['the remote never had it', pending('l', at(1), { baseEtag: undefined }), undefined, 'recreate'],
    ['the tombstone that it follows has expired', pending('l', at(1), { anew: true }), undefined, 'recreate'],
    ['later here', pending('l', at(1_500_001)), remote('r', at(1_500_000), 1500), 'local'],
    ['later there', pending('l', at(1_500_000)), remote('r', at(1_500_001), 1500), 'remote'],
    ['same time, later counter here', pending('l', at(1_500_000, 'a', 2)), remote('r', at(1_500_000, 'b', 1), 1500), 'local'],
    ['a tie goes to the later device id: ours', pending('l', at(1_500_000, 'b')), remote('r', at(1_500_000, 'a'), 1500), 'local'],
    ['a tie goes to the later device id: theirs', pending('l', at(1_500_000, 'a')), remote('r', at(1_500_000, 'b'), 1500), 'remote'],
    ['deleted here later', pending(undefined, at(1_500_001)), remote('r', at(1_500_000), 1500), 'local'],
    ['deleted there later', pending('l', at(1_500_000)), remote('', at(1_500_001), 1500, { deleted: true }), 'remote'],
    ['deleted there earlier', pending('l', at(1_500_001)), remote('', at(1_500_000), 1500, { deleted: true }), 'local'],
    ['a foreign write before ours', pending('l', at(1_500_001)), remote('r', undefined, 1500), 'local'],
    ['a foreign write after ours', pending('l', at(1_499_999)), remote('r', undefined, 1500), 'remote'],
    ['a foreign write in the very millisecond of ours loses', pending('l', at(1_500_000)), remote('r', undefined, 1500), 'local'],
    ['a stamp from the future counts as _ts plus the tolerance', pending('l', at(1_600_000)), remote('r', at(9_000_000), 1500), 'local'],
    [
      'our own stamp from the future counts as now plus the tolerance',
      pending('l', at(9_000_000)),
      remote('r', at(2_006_000), 2006),
      'remote',
    ],
  ];

  test.each(table)('%s', (_name, local, other, expected) => {
    expect(decide(local, other, rules)).toBe(expected);
  });

  const stampArbitrary = fc.record({
    timeMs: fc.integer({ min: 1_499_990, max: 1_510_000 }),
    counter: fc.nat(2),
    device: fc.constantFrom('a', 'b', 'c'),
  });

  test('two devices that hold the two versions choose the same one, whichever of them asks', () => {
    fc.assert(
      fc.property(stampArbitrary, stampArbitrary, fc.integer({ min: 1499, max: 1505 }), (left, right, ts) => {
        fc.pre(formatStamp(left) !== formatStamp(right));
        const toRemote = (stamp: HlcStamp): RemoteVersion => remote(formatStamp(stamp), stamp, ts);
        const limitMs = ts * 1000;
        const toLocal = (stamp: HlcStamp): PendingVersion =>
          pending(formatStamp(stamp), clampStamp(stamp, limitMs + 5000), { write: formatStamp(stamp) });
        const here = decide(toLocal(left), toRemote(right), { ...rules, serverNowMs: limitMs });
        const there = decide(toLocal(right), toRemote(left), { ...rules, serverNowMs: limitMs });
        expect([here, there].map(String).toSorted()).toEqual(['local', 'remote']);
      }),
    );
  });

  test('the order of three versions has no cycle', () => {
    fc.assert(
      fc.property(stampArbitrary, stampArbitrary, stampArbitrary, (a, b, c) => {
        const beats = (x: HlcStamp, y: HlcStamp): boolean =>
          lastWriteWins(conflictOf(pending(formatStamp(x), x), remote(formatStamp(y), y, 1600), rules)) === 'local';
        fc.pre(new Set([a, b, c].map(formatStamp)).size === 3);
        expect(beats(a, b) && beats(b, c) && beats(c, a)).toBe(false);
      }),
    );
  });
});
