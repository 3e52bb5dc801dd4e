import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorsTable } from '../../scripts/errors-table.ts';

test('docs/errors.md lists every code with its status, exit code and next step', () => {
  expect(readFileSync('docs/errors.md', 'utf8')).toContain(errorsTable());
});
