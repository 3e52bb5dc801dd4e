import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasLoneSurrogate, type JsonObject } from '../../../../src/core/json.ts';
import { quoteText } from '../../../../src/query/compile/postgres/literal.ts';
import { escapeText, unescapeText } from '../../../../src/query/compile/postgres/nul-text.ts';
import { pathExpression, pathTextExpression } from '../../../../src/query/compile/postgres/path-expression.ts';
import { numberPlaceholders } from '../../../../src/query/compile/postgres/placeholders.ts';
import { compilePostgresPlan } from '../../../../src/query/compile/postgres/postgres-plan.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { compareStrings } from '../../../../src/core/json-order.ts';
import { hostileTexts } from './hostile-texts.ts';
import { COLUMNS, PostgresHarness } from './postgres-harness.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);
const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 4);
const anyText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("'", '"', '\\', '?', '$', '1', ';', '-', '/', '*', '\n', 'E', 'x', '3', 'F', '{', '}', '\u0001'),
    maxLength: 12,
  }),
);
const tellable = anyText.filter((text) => !text.includes('\u0000') && !hasLoneSurrogate(text));

let harness: PostgresHarness;
beforeAll(async () => {
  harness = await PostgresHarness.open();
}, 120_000);
afterAll(async () => harness.close());

const WORDS = [
  'AND OR NOT IS NULL TRUE FALSE CASE WHEN THEN ELSE END COLLATE EXISTS SELECT FROM WHERE AS IN ANY LIKE DESC',
  'jsonb_typeof jsonb_array_elements strpos starts_with right left length nullif octet_length upper replace',
  'doc body id ordinal v',
]
  .join(' ')
  .replaceAll(' ', '|');

/** Literals as PostgreSQL reads them, placeholders, and the words, operators and numbers that this compiler writes. */
const TOKENS = new RegExp(
  String.raw`E'(?:[^'\\]|\\.)*'|'[^'\\]*'|\?|::(?:jsonb|json|text|float8)\b(?:\[\])?|->>|->|#>>|@>|\|\||<=|>=|<>|[<>=(),.~]|\b(?:\d+|[ae]\d+|${WORDS})\b|"C"|\s`,
  'gy',
);

/** What a piece holds besides. */
function besidesTokens(sql: string): string {
  return sql.replaceAll(TOKENS, '');
}

describe('only quoted literals and placeholders reach a statement', () => {
  test('whatever names, ids and values are, and every piece runs and agrees with the evaluator', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, anyText, anyText, async (name, other, value, id) => {
        const documents = [
          { id, [name]: value, [other]: { [name]: [value] }, list: [value, { [name]: other }] },
          { id: 'x', [name]: other, list: [other] },
          { id: value, [other]: { [other]: value } },
        ].map((document) => (hasLoneSurrogate(JSON.stringify(Object.entries(document))) ? { id: 'y' } : document)) as JsonObject[];
        const safe = documents.map((document) => (/\\ud/.test(JSON.stringify(document)) ? { id: 'y' } : document));
        await harness.fill(safe);
        const [n, o] = [JSON.stringify(name), JSON.stringify(other)];
        const wheres = [
          `c[${n}] = @v`,
          `c[${n}] > @v AND c.id <= @id`,
          `c[${o}][${n}][0] = @v OR c.id = @id`,
          `c.id IN (@id, @v) OR c[${n}] IN (@v, @o, 1)`,
          `CONTAINS(c[${n}], @v) OR STARTSWITH(c[${o}], @o) OR ENDSWITH(c.id, @id, true)`,
          `c[${n}] LIKE @v OR c.id LIKE "%${'a'}%"`,
          `ARRAY_CONTAINS(c.list, @v) OR ARRAY_CONTAINS(c.list, {${n}: @o}, true)`,
          `EXISTS(SELECT VALUE x FROM x IN c[${o}][${n}] WHERE x = @v AND x != c[${n}])`,
          `LENGTH(c[${n}]) > 1 OR REPLACE(c[${n}], @v, @o) = "x" OR c[${n}] || @v = @o`,
          `c[${n}] = {${o}: @v} OR c[${o}] = [@v, @o]`,
        ];
        const values = { '@v': value, '@o': other, '@id': id };
        const parameters = Object.entries(values).map(([parameter, given]) => ({ name: parameter, value: given }));
        for (const where of wheres) {
          const text = `SELECT c[${n}] AS p, c[${o}] AS q FROM c WHERE ${where} ORDER BY c[${n}] DESC, c.id`;
          const { expected, kept, keepsOdd, filter } = await harness.filter(text, values);
          expect(keepsOdd).toBe(true);
          expect(kept, filter?.sql).toEqual(filter?.exact === true ? expected : expect.arrayContaining([...expected]));
          const plan = compilePostgresPlan(prepareQuery(text), parameters, { columns: COLUMNS });
          const pieces = [
            [plan.filter?.sql, plan.filter?.parameters],
            [plan.orderBy?.sql, plan.orderBy?.parameters],
            [plan.orderBy?.unless.sql, plan.orderBy?.unless.parameters],
            ...(plan.projection?.columns ?? []).map((column) => [column, []] as const),
          ] as const;
          for (const [piece, bound] of pieces) {
            expect(besidesTokens(piece ?? ''), piece).toBe('');
            expect(piece?.split('?').length ?? 1).toBe((bound?.length ?? 0) + 1);
          }
        }
      }),
      { seed, numRuns },
    );
    expect(await harness.rows('SELECT COUNT(*) FROM documents', [])).toEqual([['3']]);
  }, 600_000);
});

describe('literals', () => {
  test('are read as the text that they stand for, with and without standard_conforming_strings', async () => {
    for (const setting of ['on', 'off']) {
      await harness.rows(`SET standard_conforming_strings = ${setting}`, []);
      await fc.assert(
        fc.asyncProperty(fc.array(tellable, { minLength: 1, maxLength: 20 }), async (texts) => {
          const literals = texts.map((text) => quoteText(text) as string);
          expect(literals.join('')).not.toMatch(/[?\n\r]/);
          const [row] = await harness.rows(`SELECT ${literals.join(', ')}`, []);
          expect(row).toEqual(texts);
        }),
        { seed, numRuns },
      );
    }
    await harness.rows('RESET standard_conforming_strings', []);
    expect(quoteText('a\u0000')).toBeUndefined();
    expect(quoteText('\ud800')).toBeUndefined();
  });

  test('a path leads to what the evaluator finds there, and nowhere else', async () => {
    const steps = fc.array(fc.oneof(fc.constantFrom('a', '0', '1', '-1', ''), tellable, fc.constantFrom(0, 1, 2)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(steps, fc.json({ maxDepth: 4, noUnicodeString: false }), async (path, json) => {
        let built = JSON.parse(json) as unknown;
        for (const step of path.toReversed()) {
          built = typeof step === 'number' ? [...Array.from({ length: step }, () => 'pad'), built] : { [step]: built };
        }
        const text = JSON.stringify(built);
        const [expression, asText] = [pathExpression(path, '$1::jsonb'), pathTextExpression(path, '$1::jsonb')];
        if (/\\u0000|\\ud/.test(text) || expression === undefined) {
          return;
        }
        const [row] = await harness.rows(`SELECT ${expression}::text, ${asText}`, [text]);
        expect(JSON.parse(row?.[0] as string)).toEqual(JSON.parse(json));
        // A name does not lead into an array, nor a place into anything else.
        const swapped = path.map((step) => (typeof step === 'number' ? String(step) : step === '0' ? 0 : `${step}x`));
        if (path.length > 0) {
          const [other] = await harness.rows(`SELECT ${pathExpression(swapped, '$1::jsonb')}`, [text]);
          expect(other).toEqual([null]);
        }
      }),
      { seed, numRuns },
    );
  });
});

test('placeholders are numbered from where a statement wants them', () => {
  expect(numberPlaceholders('a = ?::text AND b IN (?, ?)', 4)).toBe('a = $4::text AND b IN ($5, $6)');
  expect(numberPlaceholders('TRUE', 1)).toBe('TRUE');
});

test('texts without NUL keep their order and come back', () => {
  const text = fc.string({ unit: fc.constantFrom('\u0000', '\u0001', '\u0002', 'a', '\u{10ffff}'), maxLength: 6 });
  fc.assert(
    fc.property(text, text, (left, right) => {
      const [one, other] = [escapeText(left), escapeText(right)];
      expect(one).not.toContain('\u0000');
      expect(unescapeText(one)).toBe(left);
      expect(Math.sign(compareStrings(one, other))).toBe(Math.sign(compareStrings(left, right)));
    }),
    { seed, numRuns: 2000 },
  );
});
