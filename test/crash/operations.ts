/** One scripted write of the crash tests. */
export interface ScriptedWrite {
  readonly kind: 'put' | 'delete';
  readonly id: string;
  readonly owner: string;
  /** Number of the write; a document carries the number of the write that made it. */
  readonly sequence: number;
}

const DOCUMENTS = 60;
const OWNERS: readonly string[] = ['ada', 'bob'];

/** Partition keys that the devices hold. */
export const CRASH_SCOPE: readonly string[] = OWNERS;

/** Write number `sequence` of the script; the same for the child that makes it and the parent that checks it. */
export function scriptedWrite(sequence: number): ScriptedWrite {
  const hash = Math.imul(sequence ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  const slot = (hash >>> 8) % DOCUMENTS;
  return { kind: hash % 7 === 0 ? 'delete' : 'put', id: `doc-${slot}`, owner: OWNERS[slot % OWNERS.length] as string, sequence };
}

/** What must be there after the first `count` writes: sequence by id. */
export function expectedState(count: number): Map<string, number> {
  const state = new Map<string, number>();
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const { kind, id } = scriptedWrite(sequence);
    if (kind === 'put') {
      state.set(id, sequence);
    } else {
      state.delete(id);
    }
  }
  return state;
}
