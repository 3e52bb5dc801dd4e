import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { FunctionEntry } from '../../../src/query/functions/function-entry.ts';
import { functionTable } from '../../../src/query/functions/function-table.ts';
import { sampleDocuments } from '../../../src/query/functions/sample-documents.ts';
import { openContainers, type OpenContainer } from './open-containers.ts';

const containers = await openContainers(sampleDocuments);
afterAll(() => Promise.all(containers.map((container) => container.close())));

async function resultOf(container: OpenContainer, entry: FunctionEntry, expression: string): Promise<JsonValue | undefined> {
  if (expression.startsWith('SELECT')) {
    return container.rows(expression);
  }
  const where = entry.aggregate ? '' : ` WHERE c.id = '${(sampleDocuments[0] as JsonObject)['id'] as string}'`;
  return (await container.rows(`SELECT VALUE ${expression} FROM c${where}`))[0];
}

/** Doubles agree to 12 digits: what a transcendental function gives in its last ones is the engine's. */
function agrees(actual: JsonValue | undefined, expected: JsonValue | undefined): boolean {
  if (typeof expected === 'number' && typeof actual === 'number' && !Number.isInteger(expected)) {
    return Math.abs(actual - expected) <= Math.abs(expected) * 1e-12;
  }
  return JSON.stringify(actual) === JSON.stringify(expected);
}

describe.each(containers.map((container) => [container.name, container] as const))(
  'the examples of the function table on %s',
  (_, container) => {
    test.each(functionTable.map((entry) => [entry.name, entry] as const))('%s', async (name, entry) => {
      expect(entry.examples.length).toBeGreaterThan(0);
      expect(entry.examples.some(([expression]) => expression.includes(`${name}(`))).toBe(true);
      for (const [expression, expected] of entry.examples) {
        const actual = await resultOf(container, entry, expression);
        expect(agrees(actual, expected), `${expression} gives ${JSON.stringify(actual)}`).toBe(true);
      }
    });
  },
);
