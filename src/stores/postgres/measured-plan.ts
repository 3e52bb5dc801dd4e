import type { MeasuredStatement, MeasuredStep } from '../../store/query-explanation.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { statementOf, type SqlPiece } from './scan-scope.ts';
import type { Run } from './scan-slices.ts';

/** A step of a plan as EXPLAIN writes it. Its conditions, which hold values of the query, are not read. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Plan Rows': number;
  /** Of each run, on average. */
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  /** Of tables that are there for one connection. */
  readonly 'Local Hit Blocks'?: number;
  readonly 'Local Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Explained {
  readonly Plan: PlanNode;
  readonly 'Planning Time'?: number;
  readonly 'Execution Time'?: number;
}

/** What the indexes are for that every table has, by the ends of their names. */
const OWN_INDEXES: ReadonlyMap<string, string> = new Map([
  ['pkey', 'creation order'],
  ['pk_id_key', 'partition key and id'],
  ['pk', 'partition key'],
  ['odd', 'odd documents'],
  ['position', 'positions'],
  ['pk_position', 'partition key and position'],
  ['expiry', 'expiry'],
]);

/** Says what an index is for that every table has, by its name; other names stay as they are. */
export function ownIndexLabels(table: string): (name: string) => string {
  const own = `${table}_`;
  return (name) => OWN_INDEXES.get(name.startsWith(own) ? name.slice(own.length) : '') ?? name;
}

/** {@link ownIndexLabels}, and those of the policy as it spells them. */
export function indexLabels({ number, indexes }: PostgresContainer): (name: string) => string {
  const own = ownIndexLabels(`c${number}`);
  return (name) => indexes.labels.get(name) ?? own(name);
}

async function explained(statement: SqlPiece, options: string, run: Run): Promise<Explained | undefined> {
  const { text, values } = statementOf(statement);
  const [row] = await run<{ 'QUERY PLAN': string }>({ text: `EXPLAIN (${options}) ${text}`, values });
  return (JSON.parse(row?.['QUERY PLAN'] ?? '[]') as readonly Explained[])[0];
}

function indexNames(plan: PlanNode | undefined): readonly string[] {
  return plan === undefined
    ? []
    : [...(plan['Index Name'] === undefined ? [] : [plan['Index Name']]), ...(plan.Plans ?? []).flatMap(indexNames)];
}

/** Names of the indexes that PostgreSQL would take for a statement. */
export async function indexesTaken(statement: SqlPiece, run: Run): Promise<ReadonlySet<string>> {
  return new Set(indexNames((await explained(statement, 'FORMAT JSON', run))?.Plan));
}

/** A statement that ran. */
export interface MeasuredRun {
  readonly measured: MeasuredStatement;
  /** Names of the indexes that were read. */
  readonly taken: ReadonlySet<string>;
}

function allRuns(
  node: PlanNode,
  ...members: readonly ('Actual Rows' | 'Rows Removed by Filter' | 'Rows Removed by Index Recheck')[]
): number {
  return Math.round(members.reduce((sum, member) => sum + (node[member] ?? 0), 0) * (node['Actual Loops'] ?? 0));
}

/** Runs a statement and measures it. */
export async function measureStatement(statement: SqlPiece, labelOf: (name: string) => string, run: Run): Promise<MeasuredRun> {
  const found = await explained(statement, 'ANALYZE, BUFFERS, FORMAT JSON', run);
  const steps: MeasuredStep[] = [];
  let documentsRead = 0;
  const visit = (node: PlanNode, level: number): void => {
    const name = node['Index Name'];
    const rows = allRuns(node, 'Actual Rows');
    const rowsRemoved = allRuns(node, 'Rows Removed by Filter', 'Rows Removed by Index Recheck');
    documentsRead += node['Relation Name'] === undefined ? 0 : rows + rowsRemoved;
    steps.push({
      operation: node['Node Type'],
      level,
      index: name === undefined ? undefined : labelOf(name),
      rows,
      rowsRemoved,
      rowsExpected: node['Plan Rows'],
    });
    node.Plans?.forEach((below) => visit(below, level + 1));
  };
  const plan = found?.Plan;
  if (plan !== undefined) {
    visit(plan, 0);
  }
  const taken = new Set(steps.length === 0 ? [] : indexNames(plan));
  return {
    measured: {
      rows: steps[0]?.rows ?? 0,
      documentsRead,
      planningMs: found?.['Planning Time'] ?? 0,
      executionMs: found?.['Execution Time'] ?? 0,
      pagesCached: (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Local Hit Blocks'] ?? 0),
      pagesRead: (plan?.['Shared Read Blocks'] ?? 0) + (plan?.['Local Read Blocks'] ?? 0),
      indexes: [...taken].map(labelOf),
      steps,
    },
    taken,
  };
}
