import { expect, test } from 'vitest';
import { runFuzz } from './run-fuzz.ts';

const texts = Number(process.env['PERIGEE_FUZZ_TEXTS'] ?? 8000);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

test(`random and mutated texts are prepared or refused with a place, and quickly (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const counts = runFuzz(texts, seed);
  expect(counts.texts).toBe(texts);
  // Some of each, or the texts say nothing.
  expect(counts.accepted / texts, JSON.stringify(counts)).toBeGreaterThan(0.02);
  expect((counts.refused['QUERY_SYNTAX'] ?? 0) / texts, JSON.stringify(counts)).toBeGreaterThan(0.3);
  expect((counts.refused['QUERY_INVALID'] ?? 0) / texts, JSON.stringify(counts)).toBeGreaterThan(0.02);
}, 120_000);
