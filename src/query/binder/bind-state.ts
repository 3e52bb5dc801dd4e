import type { FunctionCatalog } from '../function-catalog.ts';
import type { AggregateCall, BoundQuery, IdentifierBinding } from '../prepared-query.ts';
import { queryErrorEntry, type QueryErrorEntry } from '../query-errors.ts';
import type { CallNode, ExpressionNode, IdentifierNode, LetNode, QueryNode, SourceRange } from '../syntax-nodes.ts';

/** One query while it is bound. */
export interface QueryFrame {
  readonly parent: QueryFrame | undefined;
  /** Whether the first source of this query may be the container. */
  readonly mayNameContainer: boolean;
  /** Slots of the sources of this query. */
  readonly ownSlots: Set<number>;
  readonly outerSlots: Set<number>;
  readonly aggregates: AggregateCall[];
}

/** Names visible at a place; a LET opens one inside the scope of its query. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly frame: QueryFrame;
  readonly names: Map<string, number>;
}

/** All that grows while one text is bound. */
export class BindState {
  readonly text: string;
  readonly catalog: FunctionCatalog;
  readonly errors: QueryErrorEntry[] = [];
  readonly queries: Map<QueryNode, BoundQuery> = new Map();
  readonly identifiers: Map<IdentifierNode, IdentifierBinding> = new Map();
  readonly letSlots: Map<LetNode, number> = new Map();
  readonly aggregateCalls: Map<CallNode, AggregateCall> = new Map();
  readonly groupReferences: Map<ExpressionNode, number> = new Map();
  /** Where each parameter stands first. */
  readonly parameters: Map<string, number> = new Map();
  readonly udfs: Map<string, number> = new Map();
  udfCalls = 0;
  slotCount = 0;

  constructor(text: string, catalog: FunctionCatalog) {
    this.text = text;
    this.catalog = catalog;
  }

  newSlot(): number {
    this.slotCount += 1;
    return this.slotCount - 1;
  }

  error(code: string | undefined, location: SourceRange, message: string): void {
    this.errors.push(queryErrorEntry(code, location, message));
  }

  /** Notes a name at a place, keeping the earliest place. */
  note(names: Map<string, number>, name: string, start: number): void {
    names.set(name, Math.min(names.get(name) ?? start, start));
  }
}

/** Names by the place where they stand first. */
export function namesInOrder(names: ReadonlyMap<string, number>): readonly string[] {
  return Object.freeze([...names].toSorted((left, right) => left[1] - right[1]).map(([name]) => name));
}

/** The slot of a visible name; queries between the place and the query that owns it come to depend on it. */
export function resolveSlot(scope: Scope, name: string): number | undefined {
  let owner: Scope | undefined = scope;
  while (owner !== undefined && !owner.names.has(name)) {
    owner = owner.parent;
  }
  if (owner === undefined) {
    return undefined;
  }
  const slot = owner.names.get(name) as number;
  for (let frame: QueryFrame | undefined = scope.frame; frame !== undefined && frame !== owner.frame; frame = frame.parent) {
    frame.outerSlots.add(slot);
  }
  return slot;
}
