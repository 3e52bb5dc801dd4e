import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { replaceFile } from './replace-file.ts';

/** A content of a container's file that the store has seen: when it is met again, nobody has edited it. */
export interface KnownContent {
  readonly sha256: string;
  readonly bytes: number;
  /** Lines without a version have the position `plainBase` + ordinal. */
  readonly plainBase: number;
  /** Time of lines without one, in seconds. */
  readonly plainTs: number;
  /** Behind this ordinal come lines without a version whose place is taken. */
  readonly plainEnd: number;
}

/**
 * What the store remembers of a container beside its files: the highest numbers ever given, which its documents do not show once the last was
 * deleted, and the contents it knows. Without it, as behind a copy, the documents are as they were, and all lines of persons count as new.
 */
export interface ContainerState {
  readonly ordinal: number;
  readonly position: number;
  readonly known: readonly KnownContent[];
}

export const NO_STATE: ContainerState = { ordinal: 0, position: 0, known: [] };

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readKnown(value: JsonValue): KnownContent[] {
  if (!isJsonObject(value)) {
    return [];
  }
  const { sha256, bytes, plainBase, plainTs, plainEnd } = value;
  return typeof sha256 === 'string' && isCount(bytes) && isCount(plainBase) && isCount(plainTs) && isCount(plainEnd)
    ? [{ sha256, bytes, plainBase, plainTs, plainEnd }]
    : [];
}

/** The state of a container; one that is missing or damaged says nothing. */
export function readContainerState(path: string): ContainerState {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return NO_STATE;
  }
  if (!isJsonObject(value)) {
    return NO_STATE;
  }
  const { ordinal, position, known } = value;
  return {
    ordinal: isCount(ordinal) ? ordinal : 0,
    position: isCount(position) ? position : 0,
    known: Array.isArray(known) ? (known as readonly JsonValue[]).flatMap(readKnown) : [],
  };
}

export function writeContainerState(path: string, state: ContainerState, runtime: Runtime): void {
  // Not those above: a folder that was removed while it was open must not come back.
  for (const folder of [dirname(dirname(path)), dirname(path)]) {
    if (!existsSync(folder)) {
      mkdirSync(folder);
    }
  }
  replaceFile(path, `${JSON.stringify(state)}\n`, runtime);
}
