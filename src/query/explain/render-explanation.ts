import type {
  IndexAdvice,
  IndexTrial,
  MeasuredStatement,
  PlanStep,
  PlannedAccess,
  QueryExplanation,
} from '../../store/query-explanation.ts';

const WIDTH = 100;
const RUNS_IN_WIDTH = 10;
const ROWS_WIDTH = 13;
const PLAN_WIDTH = WIDTH - RUNS_IN_WIDTH - ROWS_WIDTH;
const LABEL_WIDTH = 14;
/** Deeper steps say their level instead of being moved further to the right. */
const MAX_INDENT = 45;
const MAX_STATEMENT_LINES = 8;

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Breaks a text at blanks into lines of `width`; a word that is longer is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/u)) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length <= width) {
      line += ` ${rest}`;
      continue;
    }
    if (line !== '') {
      lines.push(line);
    }
    for (; rest.length > width; rest = rest.slice(width)) {
      lines.push(rest.slice(0, width));
    }
    line = rest;
  }
  return [...lines, line];
}

function labelled(label: string, text: string): string[] {
  return wrap(text, WIDTH - LABEL_WIDTH).map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`.trimEnd());
}

/** An index on an expression names it wherever it is used: such statements are long, and are whole in the data only. */
function cutLines(lines: readonly string[]): readonly string[] {
  return lines.length <= MAX_STATEMENT_LINES ? lines : [...lines.slice(0, MAX_STATEMENT_LINES - 1), `${' '.repeat(LABEL_WIDTH)}…`];
}

/** A line of the tree, and the steps below it, each with the branches that lead to it. */
function treeLines(plan: PlanStep, engine: string | undefined): string[] {
  const runners: Readonly<Record<PlanStep['runsIn'], string>> = { engine: engine ?? 'evaluator', evaluator: 'evaluator', client: 'client' };
  const lines: string[] = [];
  const visit = (step: PlanStep, lead: string, branch: string): void => {
    const text = `${step.operation} ${step.detail}`.trimEnd();
    const indent = lead.length + branch.length <= MAX_INDENT ? lead + branch : `(level ${(lead.length + branch.length) / branch.length}) `;
    const room = PLAN_WIDTH - indent.length - 2;
    const note = step.exact ? '' : ' (superset)';
    const cut = text.length + note.length > room ? `${text.slice(0, room - note.length - 1)}…` : text;
    const runner = runners[step.runsIn].slice(0, RUNS_IN_WIDTH);
    const rows = step.rows === undefined ? '' : count(step.rows).padStart(ROWS_WIDTH);
    lines.push(`${(indent + cut + note).padEnd(PLAN_WIDTH)}${runner.padEnd(RUNS_IN_WIDTH)}${rows}`.trimEnd());
    const below = branch === '' ? lead : `${lead}${branch === '└─ ' ? '   ' : '│  '}`;
    for (const [index, input] of step.inputs.entries()) {
      visit(input, below, index === step.inputs.length - 1 ? '└─ ' : '├─ ');
    }
  };
  visit(plan, '', '');
  return lines;
}

const FILTER_TEXTS: Readonly<Record<QueryExplanation['filter'], string>> = {
  none: 'There is none.',
  exact: 'The engine filters exactly; nothing is filtered again.',
  superset: 'The engine leaves out most documents that do not pass; the rest is filtered again',
  evaluated: 'The evaluator filters every document that is looked at',
};

function filterText({ filter, filterReasons }: QueryExplanation): string {
  const text = FILTER_TEXTS[filter];
  return text.endsWith('.') ? text : `${text}${filterReasons.length === 0 ? '.' : `: ${filterReasons.join('; ')}.`}`;
}

/** What the steps have to say; the filter's reasons are told with the filter. */
function notesOf(plan: PlanStep): readonly string[] {
  const own = plan.operation === 'filter' ? [] : plan.reasons.map((reason) => `${plan.operation}: ${reason}.`);
  return [...own, ...plan.inputs.flatMap(notesOf)];
}

function accessText({ access, index, documentsScanned }: PlannedAccess): string {
  const where = {
    none: 'nowhere',
    point: 'by key',
    partition: 'in some partition keys',
    index: 'by index',
    container: 'in the whole container',
  }[access];
  const looked = documentsScanned === undefined ? 'documents' : plural(documentsScanned, 'document');
  return `${looked} ${where}${index === undefined ? '' : ` ${index}`}`;
}

/** What a statement took, in a few words. */
function measuredText({ rows, documentsRead, executionMs, pagesCached, pagesRead }: MeasuredStatement): string {
  const pages = `${plural(pagesCached + pagesRead, 'page')}${pagesRead === 0 ? '' : ` (${count(pagesRead)} not in memory)`}`;
  return `${plural(rows, 'row')} from ${plural(documentsRead, 'document')}, ${pages}, ${count(executionMs)} ms`;
}

/** What the engine measured: the sum, then its own steps, each with the rows that came out of it. */
function measuredLines(measured: MeasuredStatement): string[] {
  const steps = measured.steps.map(({ operation, level, index, rows, rowsRemoved, rowsExpected }) => {
    const indent = level <= MAX_INDENT / 2 ? '  '.repeat(level) : `(level ${level}) `;
    const left = rowsRemoved === 0 ? '' : `, ${count(rowsRemoved)} left out`;
    return `${indent}${operation}${index === undefined ? '' : ` on ${index}`}: ${plural(rows, 'row')}${left}, ${count(rowsExpected)} expected`;
  });
  return [
    ...labelled('Measured', `${measuredText(measured)}, ${count(measured.planningMs)} ms to plan`),
    ...steps.map((step) => `${' '.repeat(LABEL_WIDTH)}${step}`.slice(0, WIDTH)),
  ];
}

function trialLines({ documents, before, after }: IndexTrial): string[] {
  return [
    ...wrap(`tried on ${plural(documents, 'document')}, where the engine took it:`, WIDTH - 2).map((line) => `  ${line}`),
    `    without ${measuredText(before)}`,
    `    with it ${measuredText(after)}`,
  ];
}

/** A piece of policy, an index to a line. */
function policyLines({ policy }: IndexAdvice): string[] {
  return Object.entries(policy).flatMap(([member, value]) => {
    const items = Array.isArray(value) ? value : [value];
    const rows = items.map((item, index) => `      ${JSON.stringify(item)}${index === items.length - 1 ? '' : ','}`);
    return [`    ${JSON.stringify(member)}: [`, ...rows, '    ]'];
  });
}

function adviceLines(advice: readonly IndexAdvice[]): string[] {
  return advice.flatMap((one) => [
    '',
    ...wrap(`Advice: ${one.reason}`, WIDTH),
    ...(one.provenBy === 'policy'
      ? ['  now       Cosmos DB and strict mode refuse the query', '  with it   they run it']
      : [
          `  now       ${accessText(one.before)}`,
          `  with it   ${accessText(one.after)}${one.provenBy === 'service' ? ', says the service' : ''}`,
        ]),
    ...(one.trial === undefined ? [] : trialLines(one.trial)),
    '  Add to the index policy:',
    ...policyLines(one),
  ]);
}

/** Everything of an explanation as text for people: a tree, then what matters of it in sentences; lines of 100 characters at most, but for policies. */
export function renderExplanation(explanation: Omit<QueryExplanation, 'text'>): string {
  const { plan, engine, indexes, pushedDown, statement, measured, pages, documentsScanned, itemsReturned, requestUnits, advice } =
    explanation;
  const full: QueryExplanation = { ...explanation, text: '' };
  return [
    `${'PLAN'.padEnd(PLAN_WIDTH)}${'RUNS IN'.padEnd(RUNS_IN_WIDTH)}${'ROWS'.padStart(ROWS_WIDTH)}`,
    ...treeLines(plan, engine),
    '',
    ...labelled('Filter', filterText(full)),
    ...labelled('Pushed down', pushedDown.length === 0 ? 'nothing' : pushedDown.join(', ')),
    ...labelled('Index', indexes.length === 0 ? 'none' : indexes.join('; ')),
    ...labelled('Looked at', plural(documentsScanned, 'document')),
    ...labelled('Returned', `${plural(itemsReturned, 'item')} in ${plural(pages, 'page')}`),
    ...labelled('Cost', `${count(requestUnits)} request units`),
    ...[...new Set(notesOf(plan))].flatMap((note, index) => labelled(index === 0 ? 'Notes' : '', note)),
    ...(statement === undefined ? [] : cutLines(labelled('Statement', statement))),
    ...(measured === undefined ? [] : measuredLines(measured)),
    ...adviceLines(advice),
  ].join('\n');
}
