import { describe, expect, test } from 'vitest';
import { readingOnly, type EngineClause, type EngineWork, type PushedClause } from '../../../src/query/explain/engine-work.ts';
import { planTree } from '../../../src/query/explain/plan-tree.ts';
import { renderExplanation } from '../../../src/query/explain/render-explanation.ts';
import { createExplanation } from '../../../src/query/explain/create-explanation.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import type { PlanStep, QueryExplanation } from '../../../src/store/query-explanation.ts';

const reading = readingOnly('container', 'every document');

function engineWork(pushed: readonly (readonly [EngineClause, PushedClause])[]): EngineWork {
  return { ...reading, engine: 'SQLite', pushed: new Map(pushed) };
}

/** A tree in one line: `limit(project(scan))`, with `*` behind what the engine does and `~` behind what it does not finish. */
function outline({ operation, runsIn, exact, inputs }: PlanStep): string {
  const inner = inputs.map(outline).join(', ');
  return `${operation}${runsIn === 'engine' ? '*' : ''}${exact ? '' : '~'}${inner === '' ? '' : `(${inner})`}`;
}

const exact: PushedClause = { exact: true, reasons: [] };
const superset: PushedClause = { exact: false, reasons: ['letters beyond ASCII'] };

describe('the plan of a query', () => {
  test.each([
    ['SELECT * FROM c', 'scan'],
    ['SELECT VALUE 1', 'project(row)'],
    ['SELECT DISTINCT TOP 3 c.a FROM c JOIN t IN c.tags WHERE c.b > 1 ORDER BY c.a', 'limit(distinct(project(sort(filter(join(scan))))))'],
    ['SELECT * FROM c ORDER BY c.a OFFSET 1 LIMIT 2', 'limit(sort(scan))'],
    ['SELECT c.a, COUNT(1) FROM c GROUP BY c.a', 'project(group(scan))'],
    ['SELECT VALUE MAX(c.a) FROM c', 'project(aggregate(scan))'],
    ['SELECT * FROM t IN c.tags', 'join(scan)'],
    ['SELECT VALUE x FROM (SELECT * FROM c WHERE c.a) x', 'project(subquery(filter(scan)))'],
    ['SELECT * FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags)', 'filter(scan, subquery(project(scan)))'],
    ['SELECT ARRAY(SELECT * FROM t IN c.a WHERE t) AS a FROM c', 'project(scan, subquery(filter(scan)))'],
    ['SELECT x FROM c JOIN (SELECT VALUE t FROM t IN c.a) x', 'project(join(scan, project(scan)))'],
  ])('%s', (text, expected) => {
    expect(outline(planTree(prepareQuery(text), reading))).toBe(expected);
  });

  test('shows what the engine does, and does again what it does not finish', () => {
    const prepared = prepareQuery('SELECT c.a FROM c WHERE UPPER(c.s) = "x" ORDER BY c.a');
    const plans = [
      [['WHERE', exact]],
      [['WHERE', superset]],
      [
        ['WHERE', superset],
        ['ORDER BY', superset],
        ['properties', exact],
      ],
      [
        ['WHERE', exact],
        ['ORDER BY', exact],
        ['SELECT', exact],
      ],
    ] as const;
    expect(plans.map((pushed) => outline(planTree(prepared, engineWork(pushed))))).toEqual([
      'project(sort(filter*(scan*)))',
      'project(sort(filter(filter*~(scan*))))',
      'project(sort(sort*~(filter(project*(filter*~(scan*))))))',
      'project*(sort*(filter*(scan*)))',
    ]);
    const again = planTree(prepared, engineWork([['WHERE', superset]])).inputs[0]?.inputs[0];
    expect(again).toMatchObject({ detail: 'again UPPER(c.s) = ?', reasons: ['letters beyond ASCII'] });
  });

  test('of a text with very many subqueries stays small', () => {
    const subqueries = Array.from({ length: 3000 }, () => 'EXISTS(SELECT VALUE t FROM t IN c.a)').join(' OR ');
    const plan = planTree(prepareQuery(`SELECT * FROM c WHERE ${subqueries}`), reading);
    expect(plan.inputs.length).toBeLessThan(210);
    expect(plan.detail.length).toBeLessThan(310);
  });
});

describe('an explanation as text', () => {
  const prepared = prepareQuery('SELECT TOP 2 c.a, c.b FROM c WHERE c.a = "x" AND UPPER(c.b) = "Y" ORDER BY c.a');
  const work: EngineWork = { ...engineWork([['WHERE', superset]]), narrowedBy: ['partition key'] };
  const run = { pages: 1, documentsScanned: 12_345, itemsReturned: 2, requestUnits: 125.5 };

  test('is a tree with numbers, then sentences', () => {
    const { text } = createExplanation({
      prepared,
      plan: planTree(prepared, work, run),
      work,
      run,
      statement: 'SELECT body FROM t WHERE a = ?',
      advice: [
        {
          kind: 'composite',
          policy: { compositeIndexes: [[{ path: '/a', order: 'ascending' }]] },
          reason: 'it serves the filter and the order.',
          provenBy: 'planner',
          before: { access: 'container', index: undefined, documentsScanned: 12_345 },
          after: { access: 'index', index: '/a', documentsScanned: 1 },
        },
      ],
    });
    expect(text).toBe(
      [
        'PLAN                                                                         RUNS IN            ROWS',
        'limit TOP ?                                                                  evaluator             2',
        '└─ project c.a, c.b                                                          evaluator',
        '   └─ sort c.a                                                               evaluator',
        '      └─ filter again c.a = ? AND UPPER(c.b) = ?                             evaluator',
        '         └─ filter c.a = ? AND UPPER(c.b) = ? (superset)                     SQLite',
        '            └─ scan every document                                           SQLite           12,345',
        '',
        'Filter        The engine leaves out most documents that do not pass; the rest is filtered again:',
        '              letters beyond ASCII.',
        'Pushed down   partition key, WHERE',
        'Index         none',
        'Looked at     12,345 documents',
        'Returned      2 items in 1 page',
        'Cost          125.5 request units',
        'Statement     SELECT body FROM t WHERE a = ?',
        '',
        'Advice: it serves the filter and the order.',
        '  now       12,345 documents in the whole container',
        '  with it   1 document by index /a',
        '  Add to the index policy:',
        '    "compositeIndexes": [',
        '      [{"path":"/a","order":"ascending"}]',
        '    ]',
      ].join('\n'),
    );
  });

  test('stays within 100 columns, however long and deep the query is', () => {
    const deep = `${'('.repeat(60)}SELECT VALUE t FROM t IN c.a${')'.repeat(60)}`;
    const nested = Array.from({ length: 40 }).reduce<string>(
      (inner) => `EXISTS(SELECT VALUE t FROM t IN c.a WHERE ${inner})`,
      `(${deep}) > 1`,
    );
    const long = prepareQuery(`SELECT c.${'a'.repeat(500)} FROM c WHERE ${nested} ORDER BY c.b`);
    const full: Omit<QueryExplanation, 'text'> = {
      ...createExplanation({ prepared: long, plan: planTree(long, work, run), work, run, statement: `SELECT ${'x'.repeat(400)}` }),
    };
    const lines = renderExplanation(full).split('\n');
    expect(lines.length).toBeGreaterThan(80);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
  });
});
