import type { JsonValue } from '../core/json.ts';

/** Where a node stands in the query text: 0-based characters, `end` exclusive. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

/** A whole query, or a subquery. Clauses that are absent are `undefined`. */
export interface QueryNode extends SourceRange {
  readonly kind: 'query';
  readonly distinct: boolean;
  readonly top: CountNode | undefined;
  readonly select: SelectNode;
  readonly from: CollectionNode | undefined;
  readonly where: ExpressionNode | undefined;
  readonly groupBy: readonly ExpressionNode[] | undefined;
  readonly orderBy: OrderByNode | undefined;
  readonly offset: CountNode | undefined;
  readonly limit: CountNode | undefined;
}

/** The count of TOP, OFFSET or LIMIT: a literal number or a parameter. */
export type CountNode = NumberLiteralNode | ParameterNode;

export type SelectNode = SelectStarNode | SelectValueNode | SelectListNode;
export interface SelectStarNode extends SourceRange {
  readonly kind: 'select-star';
}
export interface SelectValueNode extends SourceRange {
  readonly kind: 'select-value';
  readonly expression: ExpressionNode;
}
export interface SelectListNode extends SourceRange {
  readonly kind: 'select-list';
  readonly items: readonly SelectItemNode[];
}
export interface SelectItemNode extends SourceRange {
  readonly kind: 'select-item';
  readonly expression: ExpressionNode;
  readonly alias: string | undefined;
}

export type CollectionNode = AliasedCollectionNode | IteratorCollectionNode | JoinNode;
/** `input [[AS] alias]` */
export interface AliasedCollectionNode extends SourceRange {
  readonly kind: 'aliased-collection';
  readonly input: CollectionInputNode;
  readonly alias: string | undefined;
}
/** `alias IN input` */
export interface IteratorCollectionNode extends SourceRange {
  readonly kind: 'iterator-collection';
  readonly alias: string;
  readonly input: CollectionInputNode;
}
/** `left JOIN right`, left-deep. */
export interface JoinNode extends SourceRange {
  readonly kind: 'join';
  readonly left: CollectionNode;
  readonly right: AliasedCollectionNode | IteratorCollectionNode;
}
export type CollectionInputNode = PathCollectionNode | SubqueryCollectionNode;
/** `root.a["b"][0]`; path items are names or indexes. */
export interface PathCollectionNode extends SourceRange {
  readonly kind: 'path-collection';
  readonly root: string;
  readonly path: readonly (string | number)[];
}
export interface SubqueryCollectionNode extends SourceRange {
  readonly kind: 'subquery-collection';
  readonly query: QueryNode;
}

export interface OrderByNode extends SourceRange {
  readonly kind: 'order-by';
  /** ORDER BY RANK: items are scoring functions. */
  readonly rank: boolean;
  readonly items: readonly OrderByItemNode[];
}
export interface OrderByItemNode extends SourceRange {
  readonly kind: 'order-by-item';
  readonly expression: ExpressionNode;
  readonly descending: boolean;
  /** Whether ASC or DESC was written. */
  readonly explicitDirection: boolean;
}

export type ExpressionNode =
  | LiteralNode
  | NumberLiteralNode
  | UndefinedLiteralNode
  | ParameterNode
  | IdentifierNode
  | MemberNode
  | IndexNode
  | UnaryNode
  | BinaryNode
  | BetweenNode
  | InNode
  | LikeNode
  | ConditionalNode
  | CoalesceNode
  | CallNode
  | ArrayConstructorNode
  | ObjectConstructorNode
  | SubqueryNode
  | LetNode;

/** `null`, `true`, `false` or a string. */
export interface LiteralNode extends SourceRange {
  readonly kind: 'literal';
  readonly value: null | boolean | string;
}
export interface NumberLiteralNode extends SourceRange {
  readonly kind: 'number';
  readonly value: number;
  /** As written, so that integers beyond 2^53 keep all digits. */
  readonly text: string;
}
export interface UndefinedLiteralNode extends SourceRange {
  readonly kind: 'undefined';
}
/** `@name`; `name` includes the `@`. */
export interface ParameterNode extends SourceRange {
  readonly kind: 'parameter';
  readonly name: string;
}
export interface IdentifierNode extends SourceRange {
  readonly kind: 'identifier';
  readonly name: string;
}
/** `target.name` */
export interface MemberNode extends SourceRange {
  readonly kind: 'member';
  readonly target: ExpressionNode;
  readonly name: string;
}
/** `target[index]` */
export interface IndexNode extends SourceRange {
  readonly kind: 'index';
  readonly target: ExpressionNode;
  readonly index: ExpressionNode;
}
export type UnaryOperator = '-' | '+' | '~' | 'NOT';
export interface UnaryNode extends SourceRange {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: ExpressionNode;
}
export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '>>>'
  | '||'
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'AND'
  | 'OR';
/** Chains nest to the left without a bound on their length: walk them with `leftSpine`, not by recursion on `left`. */
export interface BinaryNode extends SourceRange {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
}
export interface BetweenNode extends SourceRange {
  readonly kind: 'between';
  readonly negated: boolean;
  readonly operand: ExpressionNode;
  readonly low: ExpressionNode;
  readonly high: ExpressionNode;
}
export interface InNode extends SourceRange {
  readonly kind: 'in';
  readonly negated: boolean;
  readonly operand: ExpressionNode;
  readonly items: readonly ExpressionNode[];
}
export interface LikeNode extends SourceRange {
  readonly kind: 'like';
  readonly negated: boolean;
  readonly operand: ExpressionNode;
  readonly pattern: ExpressionNode;
  readonly escape: string | undefined;
}
export interface ConditionalNode extends SourceRange {
  readonly kind: 'conditional';
  readonly condition: ExpressionNode;
  readonly whenTrue: ExpressionNode;
  readonly otherwise: ExpressionNode;
}
export interface CoalesceNode extends SourceRange {
  readonly kind: 'coalesce';
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
}
/** `NAME(...)` (upper-cased at binding) or `udf.name(...)`. */
export interface CallNode extends SourceRange {
  readonly kind: 'call';
  readonly name: string;
  readonly udf: boolean;
  readonly arguments: readonly ExpressionNode[];
}
export interface ArrayConstructorNode extends SourceRange {
  readonly kind: 'array';
  readonly items: readonly ExpressionNode[];
}
export interface ObjectConstructorNode extends SourceRange {
  readonly kind: 'object';
  readonly members: readonly { readonly name: string; readonly value: ExpressionNode }[];
}
export type SubqueryForm = 'scalar' | 'exists' | 'array' | 'all' | 'first' | 'last';
export interface SubqueryNode extends SourceRange {
  readonly kind: 'subquery';
  readonly form: SubqueryForm;
  readonly query: QueryNode;
}
/** `(LET name = value IN body)` */
export interface LetNode extends SourceRange {
  readonly kind: 'let';
  readonly name: string;
  readonly value: ExpressionNode;
  readonly body: ExpressionNode;
}

/** A query parameter as callers pass it; `name` includes the `@`. */
export interface QueryParameter {
  readonly name: string;
  readonly value: JsonValue;
}
