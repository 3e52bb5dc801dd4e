import { describe, expect, test } from 'vitest';
import { findLostWrites, type SoakEnd, type SoakJournalEntry } from './find-lost-writes.ts';
import { textOf, type SoakDocument, type SoakLog, type SoakOutcome, type SoakWrite } from './soak-write.ts';

const PLACE = { id: 'doc-1', owner: 'ada' };
const STAMP = '019000000000-0000';

/** A log of writes of one document, each as `name on kind outcome`; `-` is nothing. */
function logOf(device: string, ...lines: readonly string[]): SoakLog {
  const writes: SoakWrite[] = [];
  const outcomes = new Map<string, SoakOutcome>();
  for (const line of lines) {
    const [name = '', on = '-', kind, outcome] = line.split(' ');
    writes.push({ ...PLACE, name, on: on === '-' ? null : on, kind: kind as SoakWrite['kind'] });
    if (outcome !== undefined) {
      outcomes.set(name, outcome as SoakOutcome);
    }
  }
  return { device, lives: 1, writes, outcomes };
}

function version(write: string, on: string | null): SoakDocument {
  return { ...PLACE, write, on, text: textOf(write) };
}

function lost(device: string, document: SoakDocument | null): SoakJournalEntry {
  return { ...PLACE, document, losingStamp: `${STAMP}-${device}` };
}

function problemsOf(logs: readonly SoakLog[], end: Partial<SoakEnd>): readonly string[] {
  return findLostWrites({ logs, documents: [], journal: [], deadLetters: [], ...end }).problems;
}

describe('what the sync soak counts as lost', () => {
  test('nothing where writes of two devices follow each other to the version that is there', () => {
    const logs = [logOf('a', 'a1 - create done', 'a2 b1 patch done'), logOf('b', 'b1 a1 replace done')];
    expect(findLostWrites({ logs, documents: [version('a2', 'b1')], journal: [], deadLetters: [] })).toEqual({
      durable: 3,
      inEnd: 3,
      inJournal: 0,
      deletions: 0,
      problems: [],
    });
  });

  test('a write that another one took the place of without a journal; with one, all that it was built on is accounted for too', () => {
    const logs = [logOf('a', 'a1 - create done', 'a2 a1 patch done', 'a3 a2 patch done'), logOf('b', 'b1 a1 replace done')];
    const documents = [version('b1', 'a1')];
    expect(problemsOf(logs, { documents })).toEqual([
      expect.stringContaining('The patch a2 of ada/doc-1, built on a1, was acknowledged and is lost'),
      expect.stringContaining('The patch a3'),
    ]);
    expect(problemsOf(logs, { documents, journal: [lost('a', version('a3', 'a2'))] })).toEqual([]);
    expect(problemsOf(logs, { documents, deadLetters: [version('a3', 'a2')] })).toEqual([]);
  });

  test('a document that is gone although nobody deleted it, and one whose deletion was built on an older version', () => {
    const created = logOf('a', 'a1 - create done', 'a2 a1 patch done');
    expect(problemsOf([created], {})).toHaveLength(2);
    expect(problemsOf([created, logOf('b', 'b1 a1 delete done')], {})).toEqual([expect.stringContaining('The patch a2')]);
    expect(problemsOf([created, logOf('b', 'b1 a2 delete done')], {})).toEqual([]);
    // A deletion that never was explains nothing.
    expect(problemsOf([created, logOf('b', 'b1 a2 delete undone')], {})).toHaveLength(2);
  });

  test('a deletion whose document came back, unless a journal tells that it lost a conflict', () => {
    const logs = [logOf('a', 'a1 - create done', 'a2 a1 patch done'), logOf('b', 'b1 a1 delete done')];
    const documents = [version('a2', 'a1')];
    expect(problemsOf(logs, { documents })).toEqual([expect.stringContaining('The delete b1')]);
    expect(problemsOf(logs, { documents, journal: [lost('a', null)] })).toHaveLength(1);
    expect(problemsOf(logs, { documents, journal: [lost('b', null)] })).toEqual([]);
  });

  test('not a deletion after which the document was made anew, by whomever', () => {
    const logs = [
      logOf('a', 'a1 - create done', 'a2 a1 delete done', 'a3 a2 create done'),
      logOf('b', 'b1 a1 delete done', 'b2 - create done'),
    ];
    expect(problemsOf(logs, { documents: [version('b2', null)], journal: [lost('a', version('a3', 'a2'))] })).toEqual([]);
    expect(problemsOf(logs, { documents: [version('a3', 'a2')], journal: [lost('b', version('b2', null))] })).toEqual([]);
  });

  test('a write that a later life of its device found after a kill, and not one without an answer that is nowhere', () => {
    expect(problemsOf([logOf('a', 'a1 - create kept')], {})).toHaveLength(1);
    expect(problemsOf([logOf('a', 'a1 - create undone', 'a2 - create refused', 'a3 - create unclear', 'a4 - create')], {})).toEqual([]);
  });

  test('a version that nobody wrote, or that is mixed from two', () => {
    const logs = [logOf('a', 'a1 - create done', 'a2 a1 patch done')];
    const mixed = { ...version('a2', 'a1'), text: textOf('a1') };
    expect(problemsOf(logs, { documents: [mixed] })).toEqual([expect.stringContaining('that nobody wrote')]);
    expect(problemsOf(logs, { documents: [version('a2', 'a1')], journal: [lost('a', version('x1', null))] })).toHaveLength(1);
  });
});
