/** An ending that a stemmer writes in place of others, and how much of it stands in all of these. */
type Replacement = readonly [ending: string, kept: number];

const ENTE: readonly Replacement[] = [
  ['ente', 2],
  ['ent', 2],
];

/**
 * Stemmers cut off endings, and drop or add marks above and below letters (`ß` becomes `ss`). Here is all that they write instead: in English `y` becomes
 * `i`, `ility` and `ly` become `le`, and `e` comes back where it was dropped. Longer endings stand before those that they end in.
 */
const REPLACEMENTS: ReadonlyMap<string, readonly Replacement[]> = new Map([
  [
    'en',
    [
      ['ble', 1],
      ['bl', 1],
      ['e', 0],
      ['i', 0],
    ],
  ],
  ['de', []],
  ['es', ENTE],
  [
    'fr',
    [
      ['qu', 0],
      ['nt', 0],
      ['x', 0],
      ['l', 0],
      ['i', 0],
    ],
  ],
  ['it', [...ENTE, ['e', 0]]],
  ['pt', ENTE],
]);

/**
 * With what every word begins of which the analyzer of a language makes a given one, but for marks on letters: `run` for `run`, `happ` for `happi`. It may
 * be empty.
 */
export function sureBeginning(stem: string, language: string): string {
  const replaced = REPLACEMENTS.get(language)?.find(([ending]) => stem.endsWith(ending));
  return replaced === undefined ? stem : stem.slice(0, stem.length - replaced[0].length + replaced[1]);
}
