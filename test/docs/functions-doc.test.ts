import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionsPage } from '../../scripts/function-table.ts';

test('docs/functions.md is the page that scripts/function-table.ts writes', () => {
  expect(readFileSync('docs/functions.md', 'utf8')).toBe(functionsPage());
});
