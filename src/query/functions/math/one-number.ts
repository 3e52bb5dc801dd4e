import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, FunctionExample, IndexUse, SqliteForm } from '../function-entry.ts';
import { required } from '../parameter.ts';

/** What the entry of a function of one number says beside its name and its body. */
export interface OneNumberDefinition {
  readonly summary: string;
  readonly examples: readonly FunctionExample[];
  readonly indexUse?: IndexUse | undefined;
  readonly sqlite?: SqliteForm | undefined;
}

/** The entry of a mathematical function of one number. */
export function oneNumber(name: string, compute: (value: number) => Argument, definition: OneNumberDefinition): FunctionEntry {
  return defineFunction({ name, family: 'math', parameters: [required('value', 'number')], result: 'number', ...definition, compute });
}
