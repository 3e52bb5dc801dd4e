import { seededRandom } from '../../../src/core/seeded-random.ts';
import { documentOf, type Call, type Version } from './history.ts';

/**
 * Whether the calls on one document are linearizable: whether there is one order of them, in which every call that ended before another started stands
 * before it, that one document in one place could have answered so.
 *
 * It is the search of Wing and Gong, with what Lowe added: step by step a call is put next that no other has to precede, states that were reached
 * before with the same calls done are not searched again. Every write has a name of its own, and the version that it makes has it, so a state is the
 * name and the number of the version that is there. Guards by etag are guards by name: {@link checkEtags} holds that etags and names belong together.
 *
 * Where the positions of writes are known, from etags and feeds, the order has to be one in which they grow: the store says that positions have the order of
 * commits. What is left to find then is where deletes stand, and writes that nobody has seen.
 *
 * Two more things keep it short, and neither loses an order. A call that changes nothing, a read or a refusal, is put next as soon as the state allows it:
 * where some order exists with it later, there is one with it now, since nothing after it can tell. And calls without an answer, which may stand anywhere
 * or nowhere, are tried last.
 */
export function checkRegister(
  calls: readonly Call[],
  positions: ReadonlyMap<string, number> = new Map(),
  maxSteps = 1_000_000,
): string | undefined {
  const search = new Search(calls, positions);
  const result = search.run(maxSteps);
  if (result === 'found') {
    return undefined;
  }
  const name = documentOf(calls[0] as Call);
  return result === 'undecided'
    ? `${name}: ${calls.length} calls were not decided in ${maxSteps} steps.`
    : `${name}: there is no order of its ${calls.length} calls; the furthest one stops at ${search.stuck}.`;
}

type State = Version | undefined;

const IMPOSSIBLE = Symbol('impossible');

/** What a call makes of a state, where it can have come to what it did. */
function stateAfter(state: State, call: Call): State | typeof IMPOSSIBLE {
  return call.outcome === 'refused' ? refused(state, call) : done(state, call);
}

function refused(state: State, { kind, status, ifWrite, onlyEven }: Call): State | typeof IMPOSSIBLE {
  const isRight =
    status === 409
      ? kind === 'create' && state !== undefined
      : status === 404
        ? kind !== 'create' && state === undefined
        : status === 412 &&
          state !== undefined &&
          ((ifWrite !== undefined && ifWrite !== state.w) || (onlyEven === true && state.n % 2 !== 0));
  return isRight ? state : IMPOSSIBLE;
}

function done(state: State, call: Call): State | typeof IMPOSSIBLE {
  const { kind, ifWrite, w = '', n = 0, by = 0, onlyEven, found, outcome } = call;
  if (kind === 'read') {
    return state?.w === found?.w && state?.n === found?.n ? state : IMPOSSIBLE;
  }
  if (kind === 'create' ? state !== undefined : kind !== 'upsert' && state === undefined) {
    return IMPOSSIBLE;
  }
  if ((ifWrite !== undefined && state?.w !== ifWrite) || (onlyEven === true && (state?.n ?? 0) % 2 !== 0)) {
    return IMPOSSIBLE;
  }
  if (kind === 'delete') {
    return undefined;
  }
  const after = { w, n: kind === 'patch' ? (state?.n ?? 0) + by : n };
  // The answer of a patch tells the number that it came to.
  return outcome === 'ok' && kind === 'patch' && found !== undefined && found.n !== after.n ? IMPOSSIBLE : after;
}

const changes = ({ kind, outcome }: Call): boolean => kind !== 'read' && outcome !== 'refused';

/** A place of the search: what was put next there, and what may still be tried. */
interface Frame {
  readonly state: State;
  readonly choices: readonly number[];
  /** Calls that change nothing, and were put next before any choice. */
  readonly quiet: readonly number[];
  next: number;
}

class Search {
  readonly #calls: readonly Call[];
  /** For each call the next one that is not done, and the one before; the last place stands for both ends. */
  readonly #after: number[];
  readonly #before: number[];
  /** Names the calls that are done, whatever the order in which they were: the random words of all of them, combined. */
  readonly #words: readonly (readonly [number, number, number])[];
  readonly #name: [number, number, number] = [0, 0, 0];
  readonly #failed = new Set<string>();
  /** Writes whose position is known, in the order of these, and for each of them where it stands in it. */
  readonly #ordered: readonly number[];
  readonly #placeInOrder = new Map<number, number>();
  #nextOrdered = 0;
  #left: number;
  #fewestLeft: number;
  stuck = '';

  constructor(calls: readonly Call[], positions: ReadonlyMap<string, number>) {
    this.#calls = calls.toSorted((left, right) => left.start - right.start);
    const positionOf = (index: number): number | undefined => {
      const call = this.#calls[index] as Call;
      return changes(call) ? positions.get(call.w ?? '') : undefined;
    };
    this.#ordered = [...this.#calls.keys()]
      .filter((index) => positionOf(index) !== undefined)
      .toSorted((left, right) => (positionOf(left) as number) - (positionOf(right) as number));
    for (const [place, index] of this.#ordered.entries()) {
      this.#placeInOrder.set(index, place);
    }
    const { length } = this.#calls;
    this.#after = Array.from({ length: length + 1 }, (_, index) => (index === length ? 0 : index + 1));
    this.#before = Array.from({ length: length + 1 }, (_, index) => (index === 0 ? length : index - 1));
    const draw = seededRandom('a search');
    this.#words = this.#calls.map(() => [draw(), draw(), draw()]);
    this.#left = calls.filter(({ outcome }) => outcome !== 'unknown').length;
    this.#fewestLeft = Number.POSITIVE_INFINITY;
  }

  run(maxSteps: number): 'found' | 'none' | 'undecided' {
    const frames: Frame[] = [this.#frame(undefined)];
    for (let step = 0; step < maxSteps; step += 1) {
      const frame = frames.at(-1);
      if (frame === undefined) {
        return 'none';
      }
      if (this.#left === 0) {
        return 'found';
      }
      const choice = frame.choices[frame.next];
      if (choice === undefined) {
        frames.pop();
        for (const index of frame.quiet.toReversed()) {
          this.#set(index, false);
        }
        const before = frames.at(-1);
        if (before !== undefined) {
          this.#set(before.choices[before.next] as number, false);
          before.next += 1;
        }
        continue;
      }
      const state = stateAfter(frame.state, this.#calls[choice] as Call);
      if (state === IMPOSSIBLE) {
        frame.next += 1;
        continue;
      }
      this.#set(choice, true);
      const key = this.#key(state);
      if (this.#failed.has(key)) {
        this.#set(choice, false);
        frame.next += 1;
        continue;
      }
      this.#failed.add(key);
      frames.push(this.#frame(state));
    }
    return 'undecided';
  }

  #frame(state: State): Frame {
    const quiet: number[] = [];
    let choices = this.#candidates();
    for (;;) {
      const now = choices.filter((index) => {
        const call = this.#calls[index] as Call;
        return !changes(call) && stateAfter(state, call) !== IMPOSSIBLE;
      });
      if (now.length === 0) {
        break;
      }
      for (const index of now) {
        this.#set(index, true);
      }
      quiet.push(...now);
      choices = this.#candidates();
    }
    if (this.#left < this.#fewestLeft) {
      this.#fewestLeft = this.#left;
      const open = choices.filter((index) => this.#calls[index]?.outcome !== 'unknown').map((index) => this.#calls[index]);
      this.stuck = `${JSON.stringify(state ?? 'no document')} before ${JSON.stringify(open.slice(0, 4))}`;
    }
    const isNext = (index: number): boolean => (this.#placeInOrder.get(index) ?? this.#nextOrdered) === this.#nextOrdered;
    return { state, quiet, next: 0, choices: choices.filter((index) => changes(this.#calls[index] as Call) && isNext(index)) };
  }

  /** Calls that no other one that is not done has to precede: those with an answer first. */
  #candidates(): readonly number[] {
    const found: number[] = [];
    let firstEnd = Number.POSITIVE_INFINITY;
    const { length } = this.#calls;
    for (let index = this.#after[length] as number; index !== length; index = this.#after[index] as number) {
      const { start, end } = this.#calls[index] as Call;
      if (start > firstEnd) {
        break;
      }
      found.push(index);
      firstEnd = Math.min(firstEnd, end);
    }
    return found.toSorted((left, right) => (this.#calls[left] as Call).end - (this.#calls[right] as Call).end);
  }

  #set(index: number, isDone: boolean): void {
    // Calls come back in the reverse of the order in which they went, so each finds its neighbours as they were.
    const [before, after] = [this.#before[index] as number, this.#after[index] as number];
    this.#after[before] = isDone ? after : index;
    this.#before[after] = isDone ? before : index;
    for (const [place, word] of (this.#words[index] as readonly number[]).entries()) {
      this.#name[place] = ((this.#name[place] as number) ^ word) >>> 0;
    }
    if (this.#placeInOrder.has(index)) {
      this.#nextOrdered += isDone ? 1 : -1;
    }
    if (this.#calls[index]?.outcome !== 'unknown') {
      this.#left += isDone ? -1 : 1;
    }
  }

  #key(state: State): string {
    return `${this.#name.join(' ')} ${state === undefined ? '' : `${state.w} ${state.n}`}`;
  }
}
