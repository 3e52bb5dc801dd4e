import type { BatchOperation } from '../../../../src/store/operations.ts';

const PAIRS = 30;
/** Long enough that a kill may come within the writing of a line. */
const TEXT = 'text '.repeat(2000);

/** The pair that a write is about. */
export function pairOf(number: number): string {
  return String((number * 7) % PAIRS);
}

/** Whether a write deletes its pair. */
export function isDeletion(number: number): boolean {
  return number > PAIRS * 2 && number % 4 === 0;
}

/** One scripted write: both documents of a pair, as one. */
export function pairWrite(number: number): BatchOperation[] {
  const ids = [`left ${pairOf(number)}`, `right ${pairOf(number)}`];
  const puts = ids.map((id): BatchOperation => ({ type: 'upsert', document: { id, pk: 'p', number, text: TEXT } }));
  // What is there or not does not matter: it is put first.
  return isDeletion(number) ? [...puts, ...ids.map((id): BatchOperation => ({ type: 'delete', id }))] : puts;
}

/** What is there behind so many writes: number of the last write by id. */
export function expectedPairs(writes: number): Map<string, number> {
  const expected = new Map<string, number>();
  for (let number = 1; number <= writes; number += 1) {
    for (const side of ['left', 'right']) {
      const id = `${side} ${pairOf(number)}`;
      if (isDeletion(number)) {
        expected.delete(id);
      } else {
        expected.set(id, number);
      }
    }
  }
  return expected;
}
