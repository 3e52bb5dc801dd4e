import { leftSpine } from './left-spine.ts';
import { BINARY_LEVELS, LEVEL } from './parser/operator-levels.ts';
import { isBareName } from './parser/reserved-words.ts';
import type {
  BinaryNode,
  CollectionInputNode,
  CollectionNode,
  CountNode,
  ExpressionNode,
  OrderByNode,
  QueryNode,
  SelectNode,
  SubqueryForm,
  UnaryNode,
} from './syntax-nodes.ts';

/** How {@link printQuery} parts the clauses: on lines of their own, as in rewritten queries, or by a blank. Subqueries take one line always. */
export type PrintStyle = 'lines' | 'line';

const SUBQUERY_WORDS: Readonly<Record<SubqueryForm, string>> = {
  scalar: '',
  exists: 'EXISTS',
  array: 'ARRAY',
  all: 'ALL',
  first: 'FIRST',
  last: 'LAST',
};

function levelOf(node: ExpressionNode): number {
  switch (node.kind) {
    case 'conditional':
    case 'coalesce':
    case 'between':
    case 'in':
    case 'unary':
      return LEVEL[node.kind];
    case 'like':
      return LEVEL.in;
    case 'binary':
      return binaryLevel(node);
    default:
      return LEVEL.postfix;
  }
}

function binaryLevel(node: BinaryNode): number {
  const { operator } = node;
  return operator === 'AND' ? LEVEL.and : operator === 'OR' ? LEVEL.or : (BINARY_LEVELS.get(operator) as number);
}

/** `node` as an operand where anything looser than `lowest` needs parentheses. */
function operand(node: ExpressionNode, lowest: number): string {
  const text = printExpression(node);
  return levelOf(node) < lowest ? `(${text})` : text;
}

function list(nodes: readonly ExpressionNode[]): string {
  return nodes.map((node) => printExpression(node)).join(', ');
}

function printBinary(node: BinaryNode): string {
  const { first, steps } = leftSpine(node);
  let reached = Number.POSITIVE_INFINITY;
  let text = '';
  for (const step of steps) {
    const level = binaryLevel(step.node);
    const left = step === steps[0] ? operand(first, level) : reached < level ? `(${text})` : text;
    text = `${left} ${step.operator} ${operand(step.operand, level + 1)}`;
    reached = level;
  }
  return text;
}

function printUnary(node: UnaryNode): string {
  const inner = operand(node.operand, LEVEL.unary);
  // `--` would open a comment.
  const gap = node.operator === 'NOT' || inner.startsWith('-') || inner.startsWith('+') ? ' ' : '';
  return `${node.operator}${gap}${inner}`;
}

function printTarget(node: ExpressionNode): string {
  return node.kind === 'number' ? `(${node.text})` : operand(node, LEVEL.postfix);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function printMember(target: string, name: string): string {
  return isBareName(name) ? `${target}.${name}` : `${target}[${quote(name)}]`;
}

/** An expression as text, with only the parentheses it needs; parsing it gives an equal tree. */
export function printExpression(node: ExpressionNode): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? quote(node.value) : String(node.value);
    case 'number':
      return node.text;
    case 'undefined':
      return 'undefined';
    case 'parameter':
    case 'identifier':
      return node.name;
    case 'member':
      return printMember(printTarget(node.target), node.name);
    case 'index':
      return `${printTarget(node.target)}[${printExpression(node.index)}]`;
    case 'unary':
      return printUnary(node);
    case 'binary':
      return printBinary(node);
    case 'between':
      return (
        `${operand(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} BETWEEN ` +
        `${operand(node.low, LEVEL.comparison)} AND ${operand(node.high, LEVEL.comparison)}`
      );
    case 'in':
      return `${operand(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} IN (${list(node.items)})`;
    case 'like':
      return (
        `${operand(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} LIKE ${operand(node.pattern, LEVEL.comparison)}` +
        (node.escape === undefined ? '' : ` ESCAPE ${quote(node.escape)}`)
      );
    case 'conditional':
      return `${operand(node.condition, LEVEL.coalesce)} ? ${printExpression(node.whenTrue)} : ${printExpression(node.otherwise)}`;
    case 'coalesce':
      return `${operand(node.left, LEVEL.between)} ?? ${operand(node.right, LEVEL.coalesce)}`;
    case 'call':
      return `${node.udf ? 'udf.' : ''}${node.name}(${list(node.arguments)})`;
    case 'array':
      return `[${list(node.items)}]`;
    case 'object':
      return `{${node.members.map((member) => `${quote(member.name)}: ${printExpression(member.value)}`).join(', ')}}`;
    case 'subquery':
      return `${SUBQUERY_WORDS[node.form]}(${printQuery(node.query, 'line')})`;
    case 'let':
      return `(LET ${node.name} = ${operand(node.value, LEVEL.comparison)} IN ${operand(node.body, LEVEL.comparison)})`;
    default:
      return node satisfies never;
  }
}

/** The count of TOP, OFFSET or LIMIT. */
function printCount(node: CountNode): string {
  return node.kind === 'number' ? node.text : node.name;
}

function printSelect(node: SelectNode): string {
  switch (node.kind) {
    case 'select-star':
      return '*';
    case 'select-value':
      return `VALUE ${printExpression(node.expression)}`;
    case 'select-list':
      return node.items
        .map(({ expression, alias }) => {
          const text = printExpression(expression);
          return alias === undefined ? text : `${text} AS ${isBareName(alias) ? alias : quote(alias)}`;
        })
        .join(', ');
    default:
      return node satisfies never;
  }
}

function printInput(node: CollectionInputNode): string {
  if (node.kind === 'subquery-collection') {
    return `(${printQuery(node.query, 'line')})`;
  }
  return node.path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : printMember(text, step)), node.root);
}

/** A FROM clause without the word FROM. */
export function printCollection(node: CollectionNode): string {
  switch (node.kind) {
    case 'aliased-collection':
      return `${printInput(node.input)}${node.alias === undefined ? '' : ` AS ${node.alias}`}`;
    case 'iterator-collection':
      return `${node.alias} IN ${printInput(node.input)}`;
    case 'join':
      return `${printCollection(node.left)} JOIN ${printCollection(node.right)}`;
    default:
      return node satisfies never;
  }
}

/** An ORDER BY clause without the words ORDER BY. */
export function printOrderBy(node: OrderByNode): string {
  const items = node.items.map((item) => {
    const direction = item.explicitDirection ? (item.descending ? ' DESC' : ' ASC') : '';
    return `${printExpression(item.expression)}${direction}`;
  });
  return `${node.rank ? 'RANK ' : ''}${items.join(', ')}`;
}

/**
 * A query as text: keywords in upper case, strings in double quotes, one blank between tokens, no comments, only the parentheses it needs.
 *
 * Parsing the text gives a tree equal to `node` but for positions.
 */
export function printQuery(node: QueryNode, style: PrintStyle = 'lines'): string {
  const top = node.top === undefined ? '' : `TOP ${printCount(node.top)} `;
  const clauses = [`SELECT ${node.distinct ? 'DISTINCT ' : ''}${top}${printSelect(node.select)}`];
  if (node.from !== undefined) {
    clauses.push(`FROM ${printCollection(node.from)}`);
  }
  if (node.where !== undefined) {
    clauses.push(`WHERE ${printExpression(node.where)}`);
  }
  if (node.groupBy !== undefined) {
    clauses.push(`GROUP BY ${list(node.groupBy)}`);
  }
  if (node.orderBy !== undefined) {
    clauses.push(`ORDER BY ${printOrderBy(node.orderBy)}`);
  }
  if (node.offset !== undefined && node.limit !== undefined) {
    clauses.push(`OFFSET ${printCount(node.offset)} LIMIT ${printCount(node.limit)}`);
  }
  return clauses.join(style === 'lines' ? '\n' : ' ');
}
