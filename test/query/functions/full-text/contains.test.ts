import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchPolicyOf } from '../../../../src/query/search/search-policy.ts';
import { rowsOf, valueOf } from '../../evaluator/run-query.ts';

const TEXT = 'The runners of New York ran past rivers, lakes and a running river.';

describe('FULLTEXTCONTAINS', () => {
  test.each([
    ["'river'", true],
    ["'RUNNER'", true],
    ["'run'", true],
    ["'walk'", false],
    // A phrase: words side by side, stop words not counted.
    ["'past rivers'", true],
    ["'rivers past'", false],
    ["'lakes and a running river'", true],
    ["'runners of York'", true],
    ["'runners, York'", true],
    // Nothing to find.
    ["'the'", false],
    ["''", false],
    ["'!?'", false],
    // Fuzzy terms.
    ['{"term": "rivar", "distance": 1}', true],
    ['{"term": "revar", "distance": 1}', false],
    ['{"term": "revar", "distance": 2}', true],
    ['{"term": "revar"}', false],
    ['{"term": "pest rivar", "distance": 1}', true],
    ['{"term": "x", "distance": 3}', undefined],
    ['{"term": 5}', undefined],
    ['{"distance": 1}', undefined],
    ['5', undefined],
    ['null', undefined],
    ["['river']", undefined],
    ['c.missing', undefined],
    ['c.term', true],
    ['@term', true],
  ])('of %s is %s', (term, expected) => {
    const given = { values: { '@term': 'lake' } };
    expect(valueOf(`FULLTEXTCONTAINS(c.t, ${term})`, { t: TEXT, term: 'york' }, given)).toBe(expected);
    expect(valueOf(`FullText_Contains(c.t, ${term})`, { t: TEXT, term: 'york' }, given)).toBe(expected);
  });

  test.each([undefined, null, 5, true, ['river'], { river: 'river' }])('of the value %j is undefined', (value) => {
    expect(valueOf("FULLTEXTCONTAINS(c.t, 'river')", value === undefined ? {} : { t: value })).toBeUndefined();
  });

  test('searches any text, not just one at a path', () => {
    expect(valueOf("FULLTEXTCONTAINS('one river', 'rivers')")).toBe(true);
    expect(rowsOf("SELECT VALUE t FROM c JOIN t IN c.tags WHERE FULLTEXTCONTAINS(t, 'swim')", [{ tags: ['swims', 'walks'] }])).toEqual([
      'swims',
    ]);
  });

  test('reads the language of the path from the policy', () => {
    const searchPolicy = searchPolicyOf({
      extra: {
        fullTextPolicy: {
          defaultLanguage: 'de-DE',
          fullTextPaths: [
            { path: '/fr', language: 'fr-FR' },
            { path: '/"a b"/en', language: 'en-US' },
          ],
        },
      },
    });
    const document = { fr: 'les chevaux', de: 'die Häuser', 'a b': { en: 'running' } };
    const find = (call: string): unknown => valueOf(call, document, { searchPolicy });
    expect(find("FULLTEXTCONTAINS(c.fr, 'cheval')")).toBe(true);
    expect(find("FULLTEXTCONTAINS(c.de, 'haus')")).toBe(true);
    expect(find("FULLTEXTCONTAINS(c['a b'].en, 'runs')")).toBe(true);
    expect(valueOf("FULLTEXTCONTAINS(c.fr, 'cheval')", document)).toBe(false);
    expect(rowsOf("SELECT VALUE 1 FROM c.fr x WHERE FULLTEXTCONTAINS(x, 'cheval')", [document], { searchPolicy })).toEqual([1]);
  });
});

describe('a hostile search', () => {
  const call = (terms: readonly string[]): string => `FULLTEXTCONTAINSANY(c.t, ${terms.map((term) => JSON.stringify(term)).join(', ')})`;

  test('has a bound on its terms', () => {
    const terms = Array.from({ length: 257 }, (_, index) => `w${index}`);
    expect(() => valueOf(call(terms), { t: TEXT })).toThrow(expect.objectContaining({ code: 'QUERY_LIMIT' }) as Error);
    expect(valueOf(call(terms.slice(1)), { t: TEXT })).toBe(false);
    const words = { term: 'aa bb cc dd', distance: 1 };
    expect(valueOf('FULLTEXTCONTAINS(c.t, @term)', { t: TEXT }, { values: { '@term': words } })).toBe(false);
    expect(
      valueOf('FULLTEXTCONTAINS(c.t, @term)', { t: TEXT }, { values: { '@term': { ...words, term: 'aa bb cc dd ee' } } }),
    ).toBeUndefined();
  });

  test('of long phrases in a long text ends soon', () => {
    const t = 'aa '.repeat(100_000);
    const phrases = Array.from({ length: 50 }, (_, index) => `${'aa '.repeat(500)}b${index}b aa`);
    const start = performance.now();
    expect(valueOf(call([...phrases, `${'aa '.repeat(500)} aa bb`]), { t })).toBe(false);
    expect(valueOf(call([`${'aa '.repeat(5000)} aa`]), { t })).toBe(true);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('FULLTEXTCONTAINSALL and FULLTEXTCONTAINSANY', () => {
  test.each([
    ["'river', 'lake'", true, true],
    ["'river', 'walk'", false, true],
    ["'swim', 'walk'", false, false],
    ["'river', 'the'", false, true],
    ["'river', c.missing", undefined, undefined],
    ["'swim', 7", undefined, undefined],
    ['\'river\', {"term": "lakos", "distance": 1}', true, true],
    ["'river'", true, true],
  ])('of %s are %s and %s', (terms, all, any) => {
    expect(valueOf(`FULLTEXTCONTAINSALL(c.t, ${terms})`, { t: TEXT })).toBe(all);
    expect(valueOf(`FULLTEXT_CONTAINS_ANY(c.t, ${terms})`, { t: TEXT })).toBe(any);
  });

  test('are AND and OR of FULLTEXTCONTAINS', () => {
    const word = fc.constantFrom('river', 'lake', 'run', 'past rivers', 'the', 'bread', '');
    const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(text, fc.array(word, { minLength: 1, maxLength: 4 }), (t, terms) => {
        const quoted = terms.map((term) => JSON.stringify(term));
        const each = quoted.map((term) => `FULLTEXTCONTAINS(c.t, ${term})`);
        expect(valueOf(`FULLTEXTCONTAINSALL(c.t, ${quoted.join(', ')})`, { t })).toBe(valueOf(`(${each.join(' AND ')})`, { t }));
        expect(valueOf(`FULLTEXTCONTAINSANY(c.t, ${quoted.join(', ')})`, { t })).toBe(valueOf(`(${each.join(' OR ')})`, { t }));
      }),
      { seed: 51, numRuns: 200 },
    );
  });
});

describe('what plans say to ranges', () => {
  test('_FullTextWordCount counts the words that can be found', () => {
    expect(valueOf('_FullTextWordCount(c.t)', { t: TEXT })).toBe(8);
    expect(valueOf('_FullTextWordCount(c.t)', { t: 7 })).toBeUndefined();
  });

  test('_FullTextScore takes the statistics as given', () => {
    const more = valueOf("_FullTextScore(c.t, ['river', 'lake'], 10, 70, [2, 1])", { t: TEXT });
    const less = valueOf("_FullTextScore(c.t, 'river', 10, 70, [2])", { t: TEXT });
    expect(more).toBeGreaterThan(less as number);
    expect(valueOf("_FullTextScore(c.t, ['bread'], 10, 70, [2])", { t: TEXT })).toBe(0);
    for (const call of [
      "c.x, ['river'], 10, 70, [2]",
      'c.t, [5], 10, 70, [2]',
      "c.t, ['river'], -1, 70, [2]",
      "c.t, ['river'], 10, 70, 2",
    ]) {
      expect(valueOf(`_FullTextScore(${call})`, { t: TEXT }), call).toBeUndefined();
    }
  });
});
