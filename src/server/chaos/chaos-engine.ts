import type { IncomingHttpHeaders } from 'node:http';
import type { Runtime } from '../../core/runtime.ts';
import { seededRandom, type RandomWords } from '../../core/seeded-random.ts';
import type { ChaosControl, ChaosEffect, ChaosReport, ChaosRule, ChaosRules } from './chaos-rules.ts';
import { checkChaosRules } from './check-chaos-rules.ts';
import { matchesOperation } from './matches-operation.ts';

/** What rules look at. */
export interface ChaosFacts {
  readonly operation: string;
  readonly method: string;
  readonly database: string | undefined;
  readonly container: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What is done to a request. */
export interface ChaosVerdict {
  /** How long to wait first; 0 for not at all. */
  readonly delayMs: number;
  readonly effect: Exclude<ChaosEffect, { readonly kind: 'delay' }> | undefined;
  /** Kinds of all that was decided, delays included. */
  readonly kinds: readonly ChaosEffect['kind'][];
}

interface ActiveRule {
  readonly id: string;
  readonly rule: ChaosRule;
  /** Chance of this rule alone, so that another rule does not change what it picks. */
  readonly words: RandomWords;
  seen: number;
  fired: number;
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}

function hasHeaders(wanted: NonNullable<ChaosRule['headers']>, headers: IncomingHttpHeaders): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const key = name.toLowerCase();
    return Object.hasOwn(headers, key) && (value === true || headers[key] === value);
  });
}

function matches(rule: ChaosRule, facts: ChaosFacts): boolean {
  return (
    listOf(rule.operation)?.some((pattern) => matchesOperation(pattern, facts.operation)) !== false &&
    listOf(rule.method)?.includes(facts.method) !== false &&
    (rule.database === undefined || rule.database === facts.database) &&
    (rule.container === undefined || rule.container === facts.container) &&
    (rule.headers === undefined || hasHeaders(rule.headers, facts.headers))
  );
}

const share = (words: RandomWords): number => words() / 2 ** 32;

/** Decides by rules which requests meet with a fault, and counts what it decided. */
export class ChaosEngine implements ChaosControl {
  readonly #runtime: Runtime;
  #seed: number | string = 0;
  #rules: readonly ActiveRule[] = [];
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(runtime: Runtime, rules: ChaosRules | undefined) {
    this.#runtime = runtime;
    if (rules !== undefined) {
      this.replace(rules);
    }
  }

  /** Whether there are rules at all. */
  get isActive(): boolean {
    return this.#rules.length > 0;
  }

  replace(rules: ChaosRules): void {
    const checked = checkChaosRules(rules);
    const seed = checked.seed ?? Math.floor(this.#runtime.random() * 2 ** 32);
    this.#seed = seed;
    this.#rules = checked.rules.map((rule, index) => {
      const id = rule.id ?? `rule-${index + 1}`;
      return { id, rule: structuredClone(rule), words: seededRandom(`${seed}/${index}`), seen: 0, fired: 0 };
    });
  }

  clear(): void {
    this.#rules = [];
  }

  report(): ChaosReport {
    return { seed: this.#seed, rules: this.#rules.map(({ id, seen, fired, rule }) => ({ id, seen, fired, rule })) };
  }

  /** What is to be done to a request; `undefined` for nothing. */
  decide(facts: ChaosFacts): ChaosVerdict | undefined {
    let delayMs = 0;
    const kinds: ChaosEffect['kind'][] = [];
    for (const active of this.#rules) {
      const effect = this.#pick(active, facts);
      if (effect === undefined) {
        continue;
      }
      kinds.push(effect.kind);
      if (effect.kind !== 'delay') {
        return { delayMs, effect, kinds };
      }
      delayMs += effect.delayMs + (effect.jitterMs ?? 0) * share(active.words);
    }
    return kinds.length === 0 ? undefined : { delayMs, effect: undefined, kinds };
  }

  /** Resolves after a delay, when the client has gone, or when the server stops. */
  wait(delayMs: number, onGone: (listener: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve();
        return;
      }
      const end = (): void => {
        cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const cancel = this.#runtime.setTimer(delayMs, end);
      this.#waiting.add(end);
      onGone(end);
    });
  }

  /** Ends all delays: the server stops. */
  close(): void {
    this.#closed = true;
    for (const end of Array.from(this.#waiting)) {
      end();
    }
  }

  #pick(active: ActiveRule, facts: ChaosFacts): ChaosEffect | undefined {
    const { rule } = active;
    if (!matches(rule, facts)) {
      return undefined;
    }
    active.seen += 1;
    if (active.seen <= (rule.skip ?? 0) || active.fired >= (rule.count ?? Number.POSITIVE_INFINITY)) {
      return undefined;
    }
    if (rule.rate !== undefined && share(active.words) >= rule.rate) {
      return undefined;
    }
    active.fired += 1;
    return rule.effect;
  }
}
