import { PerigeeError } from '../../core/errors.ts';

/** What a request with triggers does to a document. */
export type TriggeredOperation = 'Create' | 'Replace' | 'Upsert' | 'Patch' | 'Delete';

/** When a trigger runs: before the write, or behind it. */
export type TriggerTime = 'Pre' | 'Post';

/** A stored trigger. */
export interface TriggerDefinition {
  readonly id: string;
  readonly source: string;
  /** `Pre` or `Post`, in whatever case. */
  readonly type: string;
  /** `All`, or the operation that it is for, in whatever case. */
  readonly operation: string;
}

/** Operations that an older name of one stands for. */
const UPDATES: readonly TriggeredOperation[] = ['Replace', 'Patch'];

function isFor(defined: string, operation: TriggeredOperation): boolean {
  const name = defined.toLowerCase();
  return name === 'all' || name === operation.toLowerCase() || (name === 'update' && UPDATES.includes(operation));
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

/**
 * The trigger that a request names, if it may run there.
 *
 * An upsert runs only triggers for all operations, or for upserts, whether or not the document exists. @throws SCRIPT_INVALID
 */
export function usableTrigger(
  id: string,
  definition: TriggerDefinition | undefined,
  time: TriggerTime,
  operation: TriggeredOperation,
): TriggerDefinition {
  if (definition === undefined) {
    throw new PerigeeError('SCRIPT_INVALID', `Trigger '${id}' was not found in the container.`);
  }
  if (definition.type.toLowerCase() !== time.toLowerCase()) {
    const defined = capitalized(definition.type);
    throw new PerigeeError('SCRIPT_INVALID', `Trigger '${id}' was defined with type '${defined}', and therefore is invalid as '${time}'.`);
  }
  if (!isFor(definition.operation, operation)) {
    const defined = capitalized(definition.operation);
    throw new PerigeeError(
      'SCRIPT_INVALID',
      `Trigger '${id}' was defined with operation type '${defined}', and therefore is invalid for '${operation}'.`,
    );
  }
  return definition;
}
