import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { BoundSource, SourceInput } from '../prepared-query.ts';
import type { CompileScope, Evaluate, Frame } from './compile-scope.ts';
import { stepReader } from './path-compiler.ts';

/** One loop of a FROM clause. */
export interface SourceLevel {
  readonly slot: number;
  /** The values of the source in the row so far. */
  values(frame: Frame): readonly JsonValue[];
}

type PathInput = Exclude<SourceInput, { kind: 'subquery' }>;

const NOTHING: readonly JsonValue[] = [];

/** Walks the combinations of nested loops one by one, left to right, so that the caller may stop or pause after any of them. */
export class SourceCursor {
  readonly #levels: readonly SourceLevel[];
  readonly #lists: (readonly JsonValue[])[];
  readonly #positions: number[];
  #started = false;

  constructor(levels: readonly SourceLevel[]) {
    this.#levels = levels;
    this.#lists = levels.map(() => NOTHING);
    this.#positions = levels.map(() => 0);
  }

  /** Whether there may be another number of combinations than one. */
  get hasLoops(): boolean {
    return this.#levels.length > 0;
  }

  /** Starts again before the first combination. */
  open(): void {
    this.#started = false;
  }

  /** Puts the next combination into the frame; false when there is none. Without loops there is exactly one. */
  next(frame: Frame): boolean {
    const last = this.#levels.length - 1;
    let depth = last;
    if (!this.#started) {
      this.#started = true;
      if (last < 0) {
        return true;
      }
      depth = 0;
      this.#enter(0, frame);
    }
    while (depth >= 0) {
      const list = this.#lists[depth] as readonly JsonValue[];
      const position = this.#positions[depth] as number;
      if (position >= list.length) {
        depth -= 1;
        continue;
      }
      this.#positions[depth] = position + 1;
      frame[(this.#levels[depth] as SourceLevel).slot] = list[position];
      if (depth === last) {
        return true;
      }
      depth += 1;
      this.#enter(depth, frame);
    }
    return false;
  }

  #enter(depth: number, frame: Frame): void {
    this.#lists[depth] = (this.#levels[depth] as SourceLevel).values(frame);
    this.#positions[depth] = 0;
  }
}

/** The value of a source's path; its first name may be a computed property, as in any other path. */
function compileValue(input: PathInput, scope: CompileScope): Evaluate {
  const slot = input.kind === 'container' ? scope.documentSlot : input.slot;
  const isDocument = input.kind === 'container' || scope.rootSlots.has(slot);
  const [name, ...rest] = input.path;
  const computed = isDocument && typeof name === 'string' ? scope.environment.computedProperties.get(name) : undefined;
  const start: Evaluate = computed === undefined ? (frame) => frame[slot] : (frame) => computed(frame[slot] as JsonObject);
  return (computed === undefined ? input.path : rest)
    .map(stepReader)
    .reduce<Evaluate>((target, read) => (frame) => read(target(frame)), start);
}

function compileInput(input: SourceInput, scope: CompileScope): (frame: Frame) => readonly JsonValue[] {
  if (input.kind === 'subquery') {
    return scope.tools.rows(input.query, scope);
  }
  const value = compileValue(input, scope);
  return (frame) => {
    const found = value(frame);
    return found === undefined ? NOTHING : [found];
  };
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The elements of a value that `alias IN` walks; none for anything but an array. */
export function elementsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isArray(value) ? value : NOTHING;
}

function compileElements(input: SourceInput, scope: CompileScope): (frame: Frame) => readonly JsonValue[] {
  if (input.kind === 'subquery') {
    const rows = scope.tools.rows(input.query, scope);
    return (frame) => rows(frame).flatMap(elementsOf);
  }
  const value = compileValue(input, scope);
  return (frame) => elementsOf(value(frame));
}

/** Compiles one source of a FROM clause. */
export function compileLevel(source: BoundSource, scope: CompileScope): SourceLevel {
  const { slot, input, iterate } = source;
  return { slot, values: iterate ? compileElements(input, scope) : compileInput(input, scope) };
}
