import type { BenchResult } from '../harness.ts';
import { HELD, measurePolicyIndex } from '../policy-index.ts';

/** One document in so many has the word that is looked for. */
const EVERY = 1000;
const WORDS = 60;

const SYLLABLES = ['ba', 'ke', 'lo', 'mi', 'nu', 'ra', 'se', 'ti', 'vo', 'zu', 'dan', 'fel', 'gor', 'hin', 'pas', 'tor'];

/** A made-up word; low numbers are met often, as in a language. */
function wordOf(number: number): string {
  let word = '';
  for (let rest = number + 16; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    word += SYLLABLES[rest % SYLLABLES.length] as string;
  }
  return word;
}

/** A text of about 450 bytes. */
function textOf(index: number): string {
  const words = Array.from({ length: WORDS }, (_, at) => {
    const spread = ((index * 7919 + at * 104_729) % 10_007) / 10_007;
    return wordOf(Math.floor(20_000 ** spread));
  });
  return `${words.join(' ')}.${index % EVERY === 0 ? ' Volcanoes were seen.' : ''}`;
}

/** What an index over the words of texts gains in a search, and what it costs in a write. */
export function run(): AsyncGenerator<BenchResult> {
  return measurePolicyIndex({
    label: 'text',
    indexingPolicy: { fullTextIndexes: [{ path: '/text' }] },
    documentAt: (index) => ({ text: textOf(index) }),
    queries: [
      { name: '50 of 50,000', query: "SELECT * FROM c WHERE FULLTEXTCONTAINS(c.text, 'volcano')", items: HELD / EVERY },
      { name: 'none of 50,000', query: "SELECT * FROM c WHERE FULLTEXTCONTAINS(c.text, 'methane lakes')", items: 0 },
    ],
  });
}
