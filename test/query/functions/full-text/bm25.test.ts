import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bm25 } from '../../../../src/query/functions/full-text/bm25.ts';

/** BM25 once more, from its definition over whole texts. */
function plainScore(texts: readonly (readonly string[])[], of: number, terms: readonly string[]): number {
  const average = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  const text = texts[of] ?? [];
  let score = 0;
  for (const term of terms) {
    const having = texts.filter((other) => other.includes(term)).length;
    const often = text.filter((word) => word === term).length;
    const rarity = Math.log((texts.length - having + 0.5) / (having + 0.5) + 1);
    score += (rarity * often * 2.2) / (often + 1.2 * (0.25 + (0.75 * text.length) / average));
  }
  return score;
}

const word = fc.constantFrom('red', 'green', 'blue', 'pink');
const collections = fc.array(fc.array(word, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });

describe('BM25', () => {
  test('agrees with its definition', () => {
    fc.assert(
      fc.property(collections, fc.nat(), fc.uniqueArray(word, { minLength: 1 }), (texts, pick, terms) => {
        const of = pick % texts.length;
        const counts = terms.map((term) => (texts[of] ?? []).filter((other) => other === term).length);
        const score = bm25(counts, texts[of]?.length ?? 0, {
          documentCount: texts.length,
          totalWordCount: texts.reduce((sum, text) => sum + text.length, 0),
          hitCounts: terms.map((term) => texts.filter((text) => text.includes(term)).length),
        });
        expect(score).toBeCloseTo(plainScore(texts, of, terms), 10);
      }),
      { seed: 21 },
    );
  });

  const statistics = { documentCount: 100, totalWordCount: 1000, hitCounts: [5] };

  test('grows with each occurrence, ever less', () => {
    const scores = [0, 1, 2, 3, 4].map((count) => bm25([count], 10, statistics));
    const steps = scores.slice(1).map((score, index) => score - (scores[index] ?? 0));
    expect(scores[0]).toBe(0);
    expect(steps.every((step, index) => step > 0 && step < (steps[index - 1] ?? Infinity))).toBe(true);
  });

  test('holds long texts back and tells rare terms more', () => {
    expect(bm25([1], 20, statistics)).toBeLessThan(bm25([1], 10, statistics));
    expect(bm25([1], 10, { ...statistics, hitCounts: [1] })).toBeGreaterThan(bm25([1], 10, statistics));
  });

  test('is finite and not negative, also for statistics that do not fit', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(99), fc.nat(9), fc.nat(99), fc.nat(99), (count, length, documentCount, totalWordCount, hits) => {
        const score = bm25([count], length, { documentCount, totalWordCount, hitCounts: [hits] });
        expect(Number.isFinite(score) && score >= 0).toBe(true);
      }),
      { seed: 22 },
    );
  });
});
