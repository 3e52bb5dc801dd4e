import { Chance } from '../chance.ts';
import type { Crash } from '../disk/simulated-disk.ts';

/**
 * What a world may have more of than others:
 *
 * - `even`: of nothing
 * - `backups`: a remote that is restored from its backups, between edits that reach it
 * - `doubts`: transactions over few documents, several writes in a row, and answers that are lost
 * - `patches`: patches of one document by all devices of a user
 * - `power`: losses of power while no time passes, after which a user makes again what is gone
 * - `transactions`: transactions whose answers are lost
 */
export const MIXES = ['even', 'backups', 'doubts', 'patches', 'power', 'transactions'] as const;

/** See {@link MIXES}. */
export type Mix = (typeof MIXES)[number];

/** How likely each event is that not all worlds have as often. */
export interface EventWeights {
  readonly edits: number;
  readonly strangers: number;
  readonly time: number;
  readonly crashes: number;
  readonly clocks: number;
  /** The power goes while an answer is on its way. */
  readonly powerNow: number;
  readonly backups: number;
  readonly restores: number;
}

/** What is different in the worlds of a mix. */
export interface MixRules {
  /** Worlds out of a hundred that have it. */
  readonly share: number;
  readonly events: EventWeights;
  /** How often each kind of edit happens. */
  readonly edits: readonly [upserts: number, patches: number, removals: number, batches: number, transactions: number];
  /** Ids of documents that are written, the frequent ones more than once. */
  readonly ids: readonly string[];
  /** Whether all write to one partition key of each user. */
  readonly isNarrow: boolean;
  /** Edits in a row, at most. */
  readonly burst: number;
  /** How many out of a hundred answers are lost. */
  readonly lostAnswers: number;
  readonly crashes: readonly Crash[];
  /** Whether a backup is taken and restored in each world of it; in others, in some. */
  readonly isFrail: boolean;
  /** Whether users make again what a loss of power has taken. */
  readonly repeats: boolean;
}

const EVEN: MixRules = {
  share: 60,
  events: { edits: 26, strangers: 5, time: 6, crashes: 5, clocks: 2, powerNow: 0, backups: 6, restores: 4 },
  edits: [50, 30, 22, 8, 12],
  ids: ['x', 'x', 'y', 'y', 'z'],
  isNarrow: false,
  burst: 1,
  lostAnswers: 15,
  crashes: ['kill', 'power-loss'],
  isFrail: false,
  repeats: false,
};

/** What each mix changes. */
export const MIX_RULES: Readonly<Record<Mix, MixRules>> = {
  even: EVEN,
  backups: {
    ...EVEN,
    share: 5,
    events: { ...EVEN.events, edits: 40, strangers: 2, crashes: 1, backups: 12, restores: 10 },
    isNarrow: true,
    isFrail: true,
  },
  doubts: {
    ...EVEN,
    share: 5,
    events: { ...EVEN.events, edits: 40, strangers: 15 },
    edits: [40, 10, 25, 10, 40],
    isNarrow: true,
    burst: 3,
    lostAnswers: 45,
  },
  patches: {
    ...EVEN,
    share: 10,
    events: { ...EVEN.events, edits: 40 },
    edits: [25, 75, 10, 2, 2],
    ids: ['x', 'x', 'x', 'y'],
    isNarrow: true,
  },
  power: {
    ...EVEN,
    share: 10,
    events: { ...EVEN.events, time: 1, crashes: 12, clocks: 0, powerNow: 30 },
    crashes: ['power-loss'],
    repeats: true,
  },
  transactions: { ...EVEN, share: 10, edits: [30, 10, 15, 30, 40] },
};

/** What a seed's world has more of. */
export function mixOf(seed: number): Mix {
  return new Chance(`mix of ${seed}`).weighted<Mix>(MIXES.map((mix) => [MIX_RULES[mix].share, mix]));
}
