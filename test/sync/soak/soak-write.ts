import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Partition keys that all devices of a soak share. */
export const SOAK_KEYS: readonly string[] = ['ada', 'bob', 'cyd'];

/** A write of a soak, named as no other ever is. */
export interface SoakWrite {
  readonly name: string;
  readonly kind: 'create' | 'replace' | 'patch' | 'delete';
  readonly id: string;
  readonly owner: string;
  /** The write whose version this one took the place of; `null` for a document that the device knew nothing of. */
  readonly on: string | null;
}

/** What a put leaves; a deletion leaves nothing, so its name is in the log only. */
export interface SoakDocument {
  readonly id: string;
  readonly owner: string;
  readonly write: string;
  readonly on: string | null;
  /** Follows from the name of the write, so that a mixture of two versions is seen. */
  readonly text: string;
}

/**
 * How a write ended: `done`, it was acknowledged; `refused`, the store said that it changed nothing; `kept` and `undone`, what a later life of the device found after a
 * kill before the answer; `unclear`, it found neither, because a sync had brought another version meanwhile.
 */
export type SoakOutcome = 'done' | 'refused' | 'kept' | 'undone' | 'unclear';

type LogLine = { readonly life: number } | { readonly write: SoakWrite } | { readonly name: string; readonly outcome: SoakOutcome };

/** All that a device wrote down. */
export interface SoakLog {
  readonly device: string;
  readonly lives: number;
  readonly writes: readonly SoakWrite[];
  readonly outcomes: ReadonlyMap<string, SoakOutcome>;
}

export function textOf(write: string): string {
  return `${write} `.repeat(8);
}

export function placeOf({ owner, id }: Pick<SoakDocument, 'id' | 'owner'>): string {
  return `${owner}/${id}`;
}

/** Reads the log of a device; a line that a kill cut off says nothing. */
export function readSoakLog(path: string, device: string): SoakLog {
  const lines = readFileSync(path, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(0, -1);
  let lives = 0;
  const writes: SoakWrite[] = [];
  const outcomes = new Map<string, SoakOutcome>();
  for (const text of lines) {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      continue;
    }
    if ('life' in line) {
      lives = line.life;
    } else if ('write' in line) {
      writes.push(line.write);
    } else {
      outcomes.set(line.name, line.outcome);
    }
  }
  return { device, lives, writes, outcomes };
}

/** Writes the log of a device: what it is going to write before it does, and how that ended. A kill takes nothing back that was written down. */
export class SoakLogWriter {
  readonly #file: number;

  constructor(path: string, life: number) {
    this.#file = openSync(path, 'a');
    // The line before may have been cut off.
    writeSync(this.#file, '\n');
    this.#append({ life });
  }

  begin(write: SoakWrite): void {
    this.#append({ write });
  }

  end(name: string, outcome: SoakOutcome): void {
    this.#append({ name, outcome });
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(line: LogLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
