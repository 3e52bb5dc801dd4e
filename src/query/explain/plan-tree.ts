import type { PlanOperation, PlanStep } from '../../store/query-explanation.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../prepared-query.ts';
import type { ExpressionNode, SourceRange, SubqueryForm, SubqueryNode } from '../syntax-nodes.ts';
import { operandsOf, sourcesOf } from '../walk.ts';
import type { EngineClause, EngineWork, PushedClause } from './engine-work.ts';
import { queryShape } from './query-shape.ts';

/** Rows that were counted in a run. */
export interface CountedRows {
  readonly documentsScanned: number;
  readonly itemsReturned: number;
}

/** Steps of a plan; subqueries beyond are named, not taken apart. */
const MAX_STEPS = 200;
/** Characters of a detail; longer ones end in `…`. */
const MAX_DETAIL = 300;

const FORM_WORDS: Readonly<Record<SubqueryForm, string>> = {
  scalar: 'of one row',
  exists: 'EXISTS',
  array: 'ARRAY',
  all: 'ALL',
  first: 'FIRST',
  last: 'LAST',
};

const ACCESS_OPERATIONS: Readonly<Record<EngineWork['access'], PlanOperation>> = {
  none: 'row',
  point: 'lookup',
  partition: 'scan',
  index: 'index',
  container: 'scan',
};

/** A step; what is not said has its usual value. */
type StepInput = Pick<PlanStep, 'operation' | 'detail'> & Partial<PlanStep>;

function step(input: StepInput): PlanStep {
  const { operation, detail, runsIn = 'evaluator', exact = true, reasons = [], rows, inputs = [] } = input;
  return { operation, detail, runsIn, exact, reasons, rows, inputs };
}

/** Subqueries directly in an expression, not those inside them. */
function subqueriesIn(node: ExpressionNode | undefined): readonly SubqueryNode[] {
  return node === undefined ? [] : node.kind === 'subquery' ? [node] : operandsOf(node).flatMap(subqueriesIn);
}

/** Builds the plan of one query. */
class PlanBuilder {
  readonly #prepared: PreparedQuery;
  readonly #work: EngineWork;
  readonly #counted: CountedRows | undefined;
  #steps = 0;

  constructor(prepared: PreparedQuery, work: EngineWork, counted: CountedRows | undefined) {
    this.#prepared = prepared;
    this.#work = work;
    this.#counted = counted;
  }

  root(): PlanStep {
    const plan = this.#query(this.#prepared.root, true);
    return this.#counted === undefined ? plan : { ...plan, rows: this.#counted.itemsReturned };
  }

  #shape({ start, end }: SourceRange): string {
    const shape = queryShape(this.#prepared.text.slice(start, end));
    return shape.length > MAX_DETAIL ? `${shape.slice(0, MAX_DETAIL)}…` : shape;
  }

  #count(node: SourceRange | undefined): string {
    return node === undefined ? '' : this.#shape(node);
  }

  #list(nodes: readonly SourceRange[]): string {
    const [first, last] = [nodes[0], nodes.at(-1)];
    return first === undefined || last === undefined ? '' : this.#shape({ start: first.start, end: last.end });
  }

  /** `isReader`: whether the query is the root, or stands at the start of its FROM clause, so that the engine may do a part of it. */
  #query(query: BoundQuery, isReader: boolean): PlanStep {
    this.#steps += 1;
    let plan = this.#sources(query, isReader);
    plan = this.#filter(query, isReader, plan);
    plan = this.#grouping(query, isReader, plan);
    if (query.orderBy.length > 0) {
      const rank = query.node.orderBy?.rank === true ? 'by rank ' : '';
      plan = this.#clause(isReader, 'ORDER BY', { operation: 'sort', detail: `${rank}${this.#list(query.orderBy)}`, inputs: [plan] });
    }
    plan = this.#projection(query, isReader, plan);
    if (query.distinct) {
      plan = this.#clause(isReader, 'DISTINCT', { operation: 'distinct', detail: 'rows', inputs: [plan] });
    }
    const { top, offset, limit } = query;
    if (top !== undefined || offset !== undefined) {
      const detail = top === undefined ? `OFFSET ${this.#count(offset)} LIMIT ${this.#count(limit)}` : `TOP ${this.#count(top)}`;
      plan = this.#clause(isReader, 'OFFSET LIMIT', { operation: 'limit', detail, inputs: [plan] });
    }
    return plan;
  }

  /** A clause where it runs. What the engine only prepares is one step of the engine, and one of the evaluator. */
  #clause(isReader: boolean, clause: EngineClause, input: StepInput): PlanStep {
    const pushed = isReader ? this.#work.pushed.get(clause) : undefined;
    if (pushed === undefined) {
      return step(input);
    }
    const prepared = step({ ...input, runsIn: 'engine', exact: pushed.exact });
    return pushed.exact ? { ...prepared, reasons: pushed.reasons } : step({ ...input, reasons: pushed.reasons, inputs: [prepared] });
  }

  #sources(query: BoundQuery, isReader: boolean): PlanStep {
    const nodes = sourcesOf(query.node.from);
    let plan: PlanStep | undefined;
    for (const [index, source] of query.sources.entries()) {
      const node = nodes[index];
      const detail = node === undefined ? (source.alias ?? '') : this.#shape(node);
      plan = plan === undefined ? this.#first(query, source, detail, isReader) : this.#join(source, detail, plan, isReader);
    }
    return plan ?? step({ operation: 'row', detail: 'without a document' });
  }

  #first(query: BoundQuery, source: BoundSource, detail: string, isReader: boolean): PlanStep {
    const { input } = source;
    switch (input.kind) {
      case 'container':
        return this.#rowsOf(this.#documents(query), source, detail, isReader);
      case 'subquery': {
        const rows = step({
          operation: 'subquery',
          detail: source.alias === undefined ? '' : `as ${source.alias}`,
          inputs: [this.#query(input.query, isReader)],
        });
        return source.iterate ? step({ operation: 'join', detail: this.#cut(detail), inputs: [rows] }) : rows;
      }
      case 'variable':
        return step({ operation: 'scan', detail });
      default:
        return input satisfies never;
    }
  }

  #cut(detail: string): string {
    return detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)}…` : detail;
  }

  /** The documents, as far as the engine brings them. */
  #documents(reader: BoundQuery): PlanStep {
    const { access, reading, pushed } = this.#work;
    const runsIn = this.#work.engine === undefined ? 'evaluator' : 'engine';
    let plan = step({ operation: ACCESS_OPERATIONS[access], detail: reading, runsIn, rows: this.#counted?.documentsScanned });
    const filter = pushed.get('WHERE');
    if (filter !== undefined && reader.where !== undefined) {
      plan = step({ operation: 'filter', detail: this.#shape(reader.where), runsIn, exact: filter.exact, inputs: [plan] });
    } else if (filter !== undefined) {
      plan = step({ operation: 'filter', detail: 'documents that give a row', runsIn, exact: filter.exact, inputs: [plan] });
    }
    const cut = pushed.get('properties');
    return cut === undefined
      ? plan
      : step({
          operation: 'project',
          detail: 'only the properties that the query reads',
          runsIn,
          exact: cut.exact,
          reasons: cut.reasons,
          inputs: [plan],
        });
  }

  /** What a first source makes of the documents: themselves, or parts of them. */
  #rowsOf(documents: PlanStep, { input, iterate }: BoundSource, detail: string, isReader: boolean): PlanStep {
    const isPlain = input.kind === 'container' && input.path.length === 0 && !iterate;
    return isPlain ? documents : this.#clause(isReader, 'JOIN', { operation: 'join', detail, inputs: [documents] });
  }

  #join(source: BoundSource, detail: string, left: PlanStep, isReader: boolean): PlanStep {
    const { input } = source;
    const inner = input.kind === 'subquery' && this.#steps < MAX_STEPS ? [this.#query(input.query, false)] : [];
    return this.#clause(isReader, 'JOIN', { operation: 'join', detail, inputs: [left, ...inner] });
  }

  #filter(query: BoundQuery, isReader: boolean, input: PlanStep): PlanStep {
    const { where } = query;
    const pushed: PushedClause | undefined = isReader && this.#readsDocuments(query) ? this.#work.pushed.get('WHERE') : undefined;
    if (where === undefined || pushed?.exact === true) {
      return input;
    }
    const reasons = isReader ? (pushed?.reasons ?? this.#work.filterReasons) : [];
    return step({
      operation: 'filter',
      detail: `${pushed === undefined ? '' : 'again '}${this.#shape(where)}`,
      reasons,
      inputs: [input, ...this.#subqueries([where])],
    });
  }

  #readsDocuments(query: BoundQuery): boolean {
    return query.sources[0]?.input.kind === 'container';
  }

  #grouping(query: BoundQuery, isReader: boolean, input: PlanStep): PlanStep {
    const names = [...new Set(query.aggregates.map(({ name }) => name))].join(', ');
    if (query.groupBy !== undefined) {
      const detail = `${this.#list(query.groupBy)}${names === '' ? '' : ` with ${names}`}`;
      return this.#clause(isReader, 'GROUP BY', { operation: 'group', detail, inputs: [input] });
    }
    return query.isAggregate ? this.#clause(isReader, 'aggregates', { operation: 'aggregate', detail: names, inputs: [input] }) : input;
  }

  #projection(query: BoundQuery, isReader: boolean, input: PlanStep): PlanStep {
    const { select } = query.node;
    if (select.kind === 'select-star') {
      return input;
    }
    const expressions = select.kind === 'select-value' ? [select.expression] : select.items.map(({ expression }) => expression);
    const detail = select.kind === 'select-value' ? `VALUE ${this.#shape(select.expression)}` : this.#list(select.items);
    const pushed = isReader ? this.#work.pushed.get('SELECT') : undefined;
    const inputs = [input, ...(pushed === undefined ? this.#subqueries(expressions) : [])];
    return this.#clause(isReader, 'SELECT', { operation: 'project', detail, inputs });
  }

  #subqueries(expressions: readonly ExpressionNode[]): readonly PlanStep[] {
    const steps: PlanStep[] = [];
    for (const node of expressions.flatMap(subqueriesIn)) {
      const query = this.#prepared.queries.get(node.query);
      if (query === undefined || this.#steps >= MAX_STEPS) {
        break;
      }
      steps.push(step({ operation: 'subquery', detail: FORM_WORDS[node.form], inputs: [this.#query(query, false)] }));
    }
    return steps;
  }
}

/**
 * The plan of a query as a tree, from what an engine does of it; the evaluator does the rest, in the order of the language: FROM, WHERE,
 * GROUP BY, ORDER BY, SELECT, DISTINCT, TOP or OFFSET LIMIT. Values of the query are placeholders in it.
 *
 * @param counted rows of a run, where there was one.
 */
export function planTree(prepared: PreparedQuery, work: EngineWork, counted?: CountedRows): PlanStep {
  return new PlanBuilder(prepared, work, counted).root();
}
