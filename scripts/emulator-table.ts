/** Writes the table of what the server does, from the last complete run of `npm run test:sdk`: `npm run emulator-table`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AREAS } from '../test/sdk/features.ts';
import { GAPS } from '../test/sdk/gaps.ts';
import { lastResults, type FeatureResult, type FeatureResults } from '../test/sdk/support/feature-results.ts';
import { STORE_NAMES, type StoreName } from '../test/sdk/support/store-names.ts';

/** A file as it should be. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

const TITLES: Readonly<Record<StoreName, string>> = { memory: 'memory', sqlite: 'SQLite', postgres: 'PostgreSQL' };
const HEAD = STORE_NAMES.map((store) => TITLES[store]);

function cell(results: readonly (FeatureResult | undefined)[]): string {
  const failed = results.reduce((sum, result) => sum + (result?.failed ?? 0), 0);
  if (failed > 0) {
    return `${failed} failed`;
  }
  return results.every((result) => (result?.passed ?? 0) > 0) ? 'yes' : 'not tested';
}

function rowsOf(features: Readonly<Record<string, string>>, results: FeatureResults): readonly string[] {
  return Object.entries(features).map(([id, sentence]) => {
    const tests = Math.max(...STORE_NAMES.map((store) => results[id]?.[store]?.passed ?? 0));
    return `| ${[sentence, ...STORE_NAMES.map((store) => cell([results[id]?.[store]])), String(tests)].join(' | ')} |`;
  });
}

/** Every feature, area by area. */
function fullTable(results: FeatureResults): string {
  const head = `| | ${HEAD.join(' | ')} | tests |\n|---|${HEAD.map(() => '---|').join('')}---|`;
  const areas = Object.values(AREAS).map(({ title, features }) => `### ${title}\n\n${head}\n${rowsOf(features, results).join('\n')}`);
  const gaps = GAPS.map(({ what, here, reason }) => `| ${what} | ${here} | ${reason} |`);
  return [
    ...areas,
    ['## What is different, or not there', '', '| the service | here | reason |', '|---|---|---|', ...gaps].join('\n'),
  ].join('\n\n');
}

/** A row an area. */
function shortTable(results: FeatureResults): string {
  const rows = Object.values(AREAS).map(({ title, features }) => {
    const ids = Object.keys(features);
    return `| ${title} | ${ids.length} | ${STORE_NAMES.map((store) => cell(ids.map((id) => results[id]?.[store]))).join(' | ')} |`;
  });
  const count = Object.values(AREAS).reduce((sum, { features }) => sum + Object.keys(features).length, 0);
  return [
    `| | features | ${HEAD.join(' | ')} |`,
    `|---|---|${HEAD.map(() => '---|').join('')}`,
    ...rows,
    '',
    `${count} features, each shown by tests through \`@azure/cosmos\` on all three stores (\`npm run test:sdk\`): [docs/emulator.md](docs/emulator.md).`,
  ].join('\n');
}

/** The text of a file with something else between its markers. @throws where it has none */
function replaceBetween(text: string, path: string, content: string): string {
  const [start, end] = ['<!-- emulator-table: written by scripts/emulator-table.ts -->', '<!-- /emulator-table -->'];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) {
    throw new Error(`${path} has no markers ${start} … ${end}.`);
  }
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

/** The files that hold the tables, as the results want them. */
export function emulatorFiles(results: FeatureResults): readonly GeneratedFile[] {
  const page = { path: 'docs/emulator.md', content: fullTable(results) };
  const readme = { path: 'README.md', content: shortTable(results) };
  return [page, readme].map(({ path, content }) => ({ path, text: replaceBetween(readFileSync(path, 'utf8'), path, content) }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { path, text } of emulatorFiles(lastResults())) {
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      writeFileSync(path, text);
      console.log(`${path} is written anew.`);
    }
  }
}
