/** Writes `docs/functions.md` from the function table: `npx tsx scripts/function-table.ts > docs/functions.md`. */
import { pathToFileURL } from 'node:url';
import type { FunctionEntry, FunctionFamily, IndexUse, SqliteForm } from '../src/query/functions/function-entry.ts';
import { functionTable } from '../src/query/functions/function-table.ts';
import type { Parameter } from '../src/query/functions/parameter.ts';
import { sampleDocuments } from '../src/query/functions/sample-documents.ts';

const TITLES: Readonly<Record<FunctionFamily, string>> = {
  aggregate: 'Aggregates',
  array: 'Arrays and sets',
  conditional: 'Conditions',
  date: 'Dates and times',
  'full-text': 'Full text',
  integer: '64-bit integers',
  item: 'Items',
  math: 'Mathematics',
  spatial: 'Spatial',
  string: 'Strings',
  type: 'Types and conversions',
  vector: 'Vectors',
};

const INDEX_USE: Readonly<Record<IndexUse, string>> = {
  seek: 'seek',
  precise: 'precise scan',
  expanded: 'expanded scan',
  scan: 'full index scan',
  none: '',
};

const SQLITE: Readonly<Record<SqliteForm, string>> = { exact: 'exact', superset: 'superset', none: '' };

function parameterText({ name, kind, presence }: Parameter): string {
  const text = `${name}: ${kind}`;
  return presence === 'optional' ? `[${text}]` : presence === 'rest' ? `...${text}` : text;
}

function code(text: string): string {
  const quoted = text.replaceAll('|', '\\|');
  return text.includes('`') ? `\`\` ${quoted} \`\`` : `\`${quoted}\``;
}

function exampleText([expression, result]: FunctionEntry['examples'][number]): string {
  return `${code(expression)} → ${code(result === undefined ? 'undefined' : JSON.stringify(result))}`;
}

function row(entry: FunctionEntry): string {
  const names = [entry.name, ...entry.aliases].map(code).join(' ');
  const cells = [
    `${names}${entry.deterministic ? '' : ' *'}`,
    entry.parameters.map((parameter) => code(parameterText(parameter))).join(', '),
    entry.result,
    entry.summary.replaceAll('|', '\\|'),
    entry.examples.map(exampleText).join('<br>'),
    INDEX_USE[entry.indexUse],
    SQLITE[entry.sqlite],
  ];
  return `| ${cells.join(' | ')} |`;
}

function section(family: FunctionFamily): string {
  const rows = functionTable.filter((entry) => entry.family === family).map(row);
  return [
    `## ${TITLES[family]}`,
    '',
    '| function | arguments | gives | meaning | examples | index | SQLite |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const INTRODUCTION = `# The functions

<!-- Written by scripts/function-table.ts from src/query/functions; do not edit. -->

All ${functionTable.length} functions of the language, from the one table that the binder, the evaluator and the compilers read. Names may be written in any case; an alias means the same.

- **arguments**: their kinds. \`[…]\` may be left out, \`...\` stands for any number more. An argument that is undefined or of another kind makes the call undefined, unless its meaning says otherwise. \`integer\` is a whole number, \`int64\` one of 64 bits; a \`date\` is text such as \`2031-02-28\`, \`2031-02-28 10:00\` or \`2031-02-28T10:00:00.1234567Z\`, in UTC; a \`date part\` is one of \`year yyyy yy\`, \`month mm m\`, \`day dd d\`, \`hour hh\`, \`minute mi n\`, \`second ss s\`, \`millisecond ms\`, \`microsecond mcs\`, \`nanosecond ns\`.
- **\\***: the result may change from call to call.
- **index**: what a filter with the function looks at in the service's index; nothing there means that every candidate is loaded.
- **SQLite**: whether the SQLite store answers it for paths and constants itself (*exact*), narrows the documents and has the evaluator finish (*superset*), or leaves it to the evaluator.

Every example is run by the tests, in memory and in SQLite. \`c\` is the first of these documents; aggregates and whole queries read all of them:

\`\`\`json
${sampleDocuments.map((document) => JSON.stringify(document)).join('\n')}
\`\`\`
`;

/** The page of all functions. */
export function functionsPage(): string {
  const families = Object.keys(TITLES) as FunctionFamily[];
  return `${INTRODUCTION}\n${families.map(section).join('\n\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(functionsPage());
}
