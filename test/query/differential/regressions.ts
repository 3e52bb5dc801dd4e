import type { JsonObject, JsonValue } from '../../../src/core/json.ts';

/** A difference that was found and mended: it stays. */
export interface DifferentialRegression {
  readonly what: string;
  readonly documents: readonly JsonObject[];
  readonly text: string;
  readonly values?: Readonly<Record<string, JsonValue>> | undefined;
}

export const differentialRegressions: readonly DifferentialRegression[] = [
  {
    what: 'a row that OFFSET leaves out fails as any other',
    documents: [{ list: [1, 2] }, { list: [] }],
    text: 'SELECT (SELECT VALUE x FROM x IN c.list) AS p FROM c OFFSET 30 LIMIT 5',
  },
  {
    what: 'pages go on behind a sort key that is infinite',
    documents: [{ n: 1.7e308 }, { n: -1.7e308 }, { n: 3 }],
    text: 'SELECT c.id FROM c ORDER BY c.twice, c.n DESC',
  },
];
