import { compilePattern, type CompiledPattern } from './compiled-pattern.ts';
import { PatternFault } from './pattern-fault.ts';

/** How many patterns are kept. A query has few; patterns that come from documents push each other out. */
const KEPT = 64;

interface Kept {
  readonly pattern: string;
  readonly modifiers: string;
  readonly outcome: CompiledPattern | PatternFault;
}

const kept = new Map<string, Kept>();
let latest: Kept | undefined;

function compiled(pattern: string, modifiers: string): CompiledPattern | PatternFault {
  try {
    return compilePattern(pattern, modifiers);
  } catch (fault) {
    if (fault instanceof PatternFault) {
      return fault;
    }
    throw fault;
  }
}

/** A compiled pattern, or why there is none. What was used lately is kept. */
export function lookupPattern(pattern: string, modifiers: string): CompiledPattern | PatternFault {
  if (latest?.pattern === pattern && latest.modifiers === modifiers) {
    return latest.outcome;
  }
  const key = `${modifiers}/${pattern}`;
  const found = kept.get(key) ?? { pattern, modifiers, outcome: compiled(pattern, modifiers) };
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > KEPT) {
    const [oldest] = kept.keys();
    kept.delete(oldest as string);
  }
  latest = found;
  return found.outcome;
}
