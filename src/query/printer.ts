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

/** How {@link printQuery} parts the clauses: on lines of their own, as in rewritten queries, or by a blank. Subqueries of expressions take one line always. */
export type PrintStyle = 'lines' | 'line';

/** Which parentheses are printed: those that are needed, or one pair around each operator, as the service prints the queries of its plans. */
export type Parentheses = 'needed' | 'all';

/** Longer chains of operators have no parentheses inside: they would nest deeper than a text may. */
const LONGEST_NESTED_CHAIN = 16;

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
function operand(node: ExpressionNode, lowest: number, parentheses: Parentheses): string {
  const text = printExpression(node, parentheses);
  return levelOf(node) < lowest && !hasOwnParentheses(node, parentheses) ? `(${text})` : text;
}

function list(nodes: readonly ExpressionNode[], parentheses: Parentheses): string {
  return nodes.map((node) => printExpression(node, parentheses)).join(', ');
}

function printBinary(node: BinaryNode, parentheses: Parentheses): string {
  const { first, steps } = leftSpine(node);
  const nests = parentheses === 'all' && steps.length <= LONGEST_NESTED_CHAIN;
  let reached = Number.POSITIVE_INFINITY;
  let text = '';
  for (const step of steps) {
    const level = binaryLevel(step.node);
    const left = step === steps[0] ? operand(first, level, parentheses) : nests || reached < level ? `(${text})` : text;
    text = `${left} ${step.operator} ${operand(step.operand, level + 1, parentheses)}`;
    reached = level;
  }
  return text;
}

function printUnary(node: UnaryNode, parentheses: Parentheses): string {
  const inner = operand(node.operand, LEVEL.unary, parentheses);
  // `--` would open a comment.
  const gap = node.operator === 'NOT' || inner.startsWith('-') || inner.startsWith('+') ? ' ' : '';
  return `${node.operator}${gap}${inner}`;
}

function printTarget(node: ExpressionNode, parentheses: Parentheses): string {
  return node.kind === 'number' ? `(${node.text})` : operand(node, LEVEL.postfix, parentheses);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function printMember(target: string, name: string): string {
  return isBareName(name) ? `${target}.${name}` : `${target}[${quote(name)}]`;
}

/** Whether an expression is an operator with operands, which has parentheses of its own where all are printed. */
function isOperator({ kind }: ExpressionNode): boolean {
  switch (kind) {
    case 'unary':
    case 'binary':
    case 'between':
    case 'in':
    case 'like':
    case 'conditional':
    case 'coalesce':
      return true;
    default:
      return false;
  }
}

/** An expression as text, by default with only the parentheses it needs; parsing it gives an equal tree. */
export function printExpression(node: ExpressionNode, parentheses: Parentheses = 'needed'): string {
  const text = printBare(node, parentheses);
  return hasOwnParentheses(node, parentheses) ? `(${text})` : text;
}

function hasOwnParentheses(node: ExpressionNode, parentheses: Parentheses): boolean {
  return parentheses === 'all' && isOperator(node) && !isSignedNumber(node);
}

function isSignedNumber(node: ExpressionNode): boolean {
  return node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'number';
}

/** An expression without parentheses around it. */
function printBare(node: ExpressionNode, parentheses: Parentheses): string {
  const at = (one: ExpressionNode, lowest: number): string => operand(one, lowest, parentheses);
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
      return printMember(printTarget(node.target, parentheses), node.name);
    case 'index':
      return `${printTarget(node.target, parentheses)}[${printExpression(node.index, parentheses)}]`;
    case 'unary':
      return printUnary(node, parentheses);
    case 'binary':
      return printBinary(node, parentheses);
    case 'between':
      return (
        `${at(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} BETWEEN ` +
        `${at(node.low, LEVEL.comparison)} AND ${at(node.high, LEVEL.comparison)}`
      );
    case 'in':
      return `${at(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} IN (${list(node.items, parentheses)})`;
    case 'like':
      return (
        `${at(node.operand, LEVEL.comparison)}${node.negated ? ' NOT' : ''} LIKE ${at(node.pattern, LEVEL.comparison)}` +
        (node.escape === undefined ? '' : ` ESCAPE ${quote(node.escape)}`)
      );
    case 'conditional':
      return `${at(node.condition, LEVEL.coalesce)} ? ${printExpression(node.whenTrue, parentheses)} : ${printExpression(node.otherwise, parentheses)}`;
    case 'coalesce':
      return `${at(node.left, LEVEL.between)} ?? ${at(node.right, LEVEL.coalesce)}`;
    case 'call':
      return `${node.udf ? 'udf.' : ''}${node.name}(${list(node.arguments, parentheses)})`;
    case 'array':
      return `[${list(node.items, parentheses)}]`;
    case 'object':
      return `{${node.members.map((member) => `${quote(member.name)}: ${printExpression(member.value, parentheses)}`).join(', ')}}`;
    case 'subquery':
      return `${SUBQUERY_WORDS[node.form]}(${printQuery(node.query, 'line', parentheses)})`;
    case 'let':
      return `(LET ${node.name} = ${at(node.value, LEVEL.comparison)} IN ${at(node.body, LEVEL.comparison)})`;
    default:
      return node satisfies never;
  }
}

/** The count of TOP, OFFSET or LIMIT. */
function printCount(node: CountNode): string {
  return node.kind === 'number' ? node.text : node.name;
}

function printSelect(node: SelectNode, parentheses: Parentheses): string {
  switch (node.kind) {
    case 'select-star':
      return '*';
    case 'select-value':
      return `VALUE ${printExpression(node.expression, parentheses)}`;
    case 'select-list':
      return node.items
        .map(({ expression, alias }) => {
          const text = printExpression(expression, parentheses);
          return alias === undefined ? text : `${text} AS ${isBareName(alias) ? alias : quote(alias)}`;
        })
        .join(', ');
    default:
      return node satisfies never;
  }
}

const INDENT = '    ';

function printInput(node: CollectionInputNode, style: PrintStyle, parentheses: Parentheses): string {
  if (node.kind === 'subquery-collection') {
    const text = printQuery(node.query, style, parentheses);
    return style === 'line' ? `(${text})` : `(\n${INDENT}${text.replaceAll('\n', `\n${INDENT}`)}\n)`;
  }
  return node.path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : printMember(text, step)), node.root);
}

/** A FROM clause without the word FROM. */
export function printCollection(node: CollectionNode, style: PrintStyle = 'line', parentheses: Parentheses = 'needed'): string {
  switch (node.kind) {
    case 'aliased-collection':
      return `${printInput(node.input, style, parentheses)}${node.alias === undefined ? '' : ` AS ${node.alias}`}`;
    case 'iterator-collection':
      return `${node.alias} IN ${printInput(node.input, style, parentheses)}`;
    case 'join':
      return [node.left, node.right].map((side) => printCollection(side, style, parentheses)).join(style === 'line' ? ' JOIN ' : '\nJOIN ');
    default:
      return node satisfies never;
  }
}

/** An ORDER BY clause without the words ORDER BY. */
export function printOrderBy(node: OrderByNode, parentheses: Parentheses = 'needed'): string {
  const items = node.items.map((item) => {
    const direction = item.explicitDirection ? (item.descending ? ' DESC' : ' ASC') : '';
    return `${printExpression(item.expression, parentheses)}${direction}`;
  });
  return `${node.rank ? 'RANK ' : ''}${items.join(', ')}`;
}

/**
 * A query as text: keywords in upper case, strings in double quotes, one blank between tokens, no comments, by default only the
 * parentheses it needs.
 *
 * Parsing the text gives a tree equal to `node` but for positions.
 */
export function printQuery(node: QueryNode, style: PrintStyle = 'lines', parentheses: Parentheses = 'needed'): string {
  const top = node.top === undefined ? '' : `TOP ${printCount(node.top)} `;
  const clauses = [`SELECT ${node.distinct ? 'DISTINCT ' : ''}${top}${printSelect(node.select, parentheses)}`];
  if (node.from !== undefined) {
    clauses.push(`FROM ${printCollection(node.from, style, parentheses)}`);
  }
  if (node.where !== undefined) {
    clauses.push(`WHERE ${printExpression(node.where, parentheses)}`);
  }
  if (node.groupBy !== undefined) {
    clauses.push(`GROUP BY ${list(node.groupBy, parentheses)}`);
  }
  if (node.orderBy !== undefined) {
    clauses.push(`ORDER BY ${printOrderBy(node.orderBy, parentheses)}`);
  }
  if (node.offset !== undefined && node.limit !== undefined) {
    clauses.push(`OFFSET ${printCount(node.offset)} LIMIT ${printCount(node.limit)}`);
  }
  return clauses.join(style === 'lines' ? '\n' : ' ');
}
