import { describe, expect, test } from 'vitest';
import type { KillEvent } from './kill-item.ts';
import { KilledPartition, type StoredKillItem, type StoredVersion } from './killed-partition.ts';

const stored = (id: string, n: number): StoredKillItem => ({ id, pk: 'p', n, text: '', _etag: `"${id}${n}"` });
const event = (type: KillEvent['type'], id: string, n: number): KillEvent => ({
  type,
  id,
  etag: undefined,
  item: type === 'delete' ? undefined : { id, pk: 'p', n, text: '' },
});
const version = (operationType: string, lsn: number, current: StoredKillItem | null, id?: string): StoredVersion => ({
  current,
  metadata: { operationType, lsn, ...(id === undefined ? {} : { id }) },
});

/** A partition key with `a` and `b` acknowledged, and a batch under way that replaces `a`, deletes `b` and creates `c`. */
function killed(): KilledPartition {
  const partition = new KilledPartition('p');
  partition.begin([event('create', 'a', 1), event('create', 'b', 1)]);
  partition.acknowledge(['"a1"', '"b1"']);
  partition.settle([stored('a', 1), stored('b', 1)], [version('create', 1, stored('a', 1)), version('create', 2, stored('b', 1))]);
  partition.begin([event('replace', 'a', 2), event('delete', 'b', 0), event('create', 'c', 1)]);
  return partition;
}

const allVersions = [version('replace', 3, stored('a', 2)), version('delete', 4, null, 'b'), version('create', 5, stored('c', 1))];

describe('what was under way when a server was killed', () => {
  test('may be wholly there, and counts from then on', () => {
    const partition = killed();
    partition.settle([stored('a', 2), stored('c', 1)], allVersions);
    expect(partition.outcomes).toEqual({ kept: 1, undone: 0 });
    expect(partition.ids.toSorted()).toEqual(['a', 'c']);
    partition.settle([stored('a', 2), stored('c', 1)], []);
    expect(() => partition.settle([stored('a', 2)], [])).toThrow('c is missing and should be there');
  });

  test('may not be there at all', () => {
    const partition = killed();
    partition.settle([stored('a', 1), stored('b', 1)], []);
    expect(partition.outcomes).toEqual({ kept: 0, undone: 1 });
  });

  test.each<[string, readonly StoredKillItem[], readonly StoredVersion[], string]>([
    ['half of it is there', [stored('a', 2), stored('b', 1)], [], 'with the write that was under way'],
    ['an acknowledged document is lost', [stored('b', 1)], [], 'a is missing and should be there'],
    ['something came from nowhere', [stored('a', 1), stored('b', 1), stored('z', 1)], [], 'z is there and should be missing'],
    ['an etag changed by itself', [{ ...stored('a', 1), _etag: '"x"' }, stored('b', 1)], [], 'should be'],
    ['a document is there twice', [stored('a', 1), stored('a', 1), stored('b', 1)], [], 'twice'],
    ['the feed lacks a change', [stored('a', 2), stored('c', 1)], allVersions.slice(1), 'the feed of all versions gave 2 changes for 3'],
    ['the feed tells of what was undone', [stored('a', 1), stored('b', 1)], allVersions, 'the feed of all versions gave 3 changes for 0'],
  ])('is found out where %s', (_name, documents, versions, message) => {
    expect(() => killed().settle(documents, versions)).toThrow(message);
  });
});
