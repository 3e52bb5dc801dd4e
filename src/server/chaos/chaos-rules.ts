/** What is done to a request that a rule picks. */
export type ChaosEffect =
  /** Answers with a status. Without `applied` nothing is done before; with it the request is carried out first, and its answer thrown away. */
  | {
      readonly kind: 'status';
      /** 400 to 599. */
      readonly status: number;
      /** `x-ms-substatus`. */
      readonly subStatus?: number | undefined;
      /** `x-ms-retry-after-ms`. */
      readonly retryAfterMs?: number | undefined;
      readonly applied?: boolean | undefined;
    }
  /** Waits before the request is carried out, then goes on with the rules behind it. A request whose client gave up meanwhile is not carried out. */
  | {
      readonly kind: 'delay';
      readonly delayMs: number;
      /** Up to so many milliseconds more, drawn from the seed. */
      readonly jitterMs?: number | undefined;
    }
  /** Carries the request out and closes the connection without an answer: the client cannot know what became of its write. */
  | { readonly kind: 'drop' }
  /** Closes the connection: before the request is carried out, or in the middle of its answer. */
  | { readonly kind: 'cut'; readonly at: 'request' | 'answer' }
  /** Sends the body of the answer in pieces, over so many milliseconds. */
  | { readonly kind: 'slow'; readonly durationMs: number }
  /** Sends only a part of the body, as if it were the whole: JSON that does not end. */
  | {
      readonly kind: 'truncate';
      /** Share of the body that is sent, from 0 to below 1; 0.5 unless said otherwise. */
      readonly keep?: number | undefined;
    };

/** Picks requests, and says what is done to them. Every condition that is given must hold. */
export interface ChaosRule {
  /** Name in reports; `rule-1` and so on unless said otherwise. */
  readonly id?: string | undefined;
  /** Operations, such as `read-document`; `*` at the beginning or the end stands for anything: `query-*`. `docs/chaos.md` lists them. */
  readonly operation?: string | readonly string[] | undefined;
  /** Methods of HTTP. */
  readonly method?: string | readonly string[] | undefined;
  /** The database and the container in the path, as the client names them. */
  readonly database?: string | undefined;
  readonly container?: string | undefined;
  /** Headers of the request: the value that each has, or `true` for any. */
  readonly headers?: Readonly<Record<string, string | true>> | undefined;
  /** Share of such requests that is picked, from 0 to 1, drawn from the seed; all unless said otherwise. */
  readonly rate?: number | undefined;
  /** How many such requests are left alone first; none unless said otherwise. */
  readonly skip?: number | undefined;
  /** How many requests are picked at most; any number unless said otherwise. */
  readonly count?: number | undefined;
  readonly effect: ChaosEffect;
}

/** Faults to inject, see {@link ServerOptions.chaos}. */
export interface ChaosRules {
  /** Equal seeds pick equal requests of an equal sequence; drawn by chance unless said otherwise, and told in reports. */
  readonly seed?: number | string | undefined;
  /** Tried in order; the first that picks a request decides, but for delays, which add up. At most 100. */
  readonly rules: readonly ChaosRule[];
}

/** What became of a rule. */
export interface ChaosRuleReport {
  readonly id: string;
  /** Requests on which all its conditions held. */
  readonly seen: number;
  /** Requests that it picked. */
  readonly fired: number;
  readonly rule: ChaosRule;
}

/** The rules in force, and what became of each. */
export interface ChaosReport {
  readonly seed: number | string;
  readonly rules: readonly ChaosRuleReport[];
}

/** Changes the faults that a server injects while it runs. */
export interface ChaosControl {
  /** Puts other rules in the place of those in force; counters begin anew. @throws INVALID_OPTION, and the old rules stay */
  replace(rules: ChaosRules): void;
  /** Takes all rules away, and with them their counters. */
  clear(): void;
  /** The rules in force and how often each was looked at and applied. */
  report(): ChaosReport;
}
