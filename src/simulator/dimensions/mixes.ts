import { Chance } from '../chance.ts';
import type { Crash } from '../disk/simulated-disk.ts';

/**
 * What a world may have more of than others:
 *
 * - `even`: of nothing
 * - `backups`: a remote that is restored from its backups, between edits that reach it
 * - `doubts`: answers that are lost to what the remote has taken, whereupon users write on
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
  readonly runs: number;
  /** A request gets on. */
  readonly flights: number;
  readonly strangers: number;
  readonly time: number;
  readonly crashes: number;
  readonly clocks: number;
  /** The power goes while an answer is on its way. */
  readonly powerNow: number;
  /** An answer is lost to what the remote has taken, and users write on. */
  readonly doubts: number;
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
  /** Whether each user has one partition key, not two. */
  readonly isNarrow: boolean;
  /** Whether all documents are on all devices at first. */
  readonly isInStep: boolean;
  /** Whether a document that is not there is made where it would be patched. */
  readonly isMissingMade: boolean;
  readonly crashes: readonly Crash[];
  /** Whether a backup is taken and restored in each world of it; in others, in some. */
  readonly isFrail: boolean;
  /** Whether the remote is restored only where it has taken something since it was backed up. */
  readonly restoresOnlyNews: boolean;
  /** Whether users make again what a loss of power has taken. */
  readonly repeats: boolean;
}

const EVEN: MixRules = {
  share: 60,
  events: {
    edits: 26,
    runs: 18,
    flights: 70,
    strangers: 5,
    time: 6,
    crashes: 5,
    clocks: 2,
    powerNow: 0,
    doubts: 0,
    backups: 6,
    restores: 4,
  },
  edits: [50, 30, 22, 8, 12],
  ids: ['x', 'x', 'y', 'y', 'z'],
  isNarrow: false,
  isInStep: false,
  isMissingMade: false,
  crashes: ['kill', 'power-loss'],
  isFrail: false,
  restoresOnlyNews: false,
  repeats: false,
};

/** What each mix changes. */
export const MIX_RULES: Readonly<Record<Mix, MixRules>> = {
  even: EVEN,
  backups: {
    ...EVEN,
    share: 5,
    events: { ...EVEN.events, runs: 40, flights: 200, strangers: 2, crashes: 1, backups: 8, restores: 16 },
    isNarrow: true,
    isInStep: true,
    isFrail: true,
    restoresOnlyNews: true,
  },
  doubts: {
    ...EVEN,
    share: 5,
    events: { ...EVEN.events, edits: 30, runs: 30, flights: 140, strangers: 8, doubts: 140 },
    edits: [40, 20, 25, 10, 30],
    isNarrow: true,
  },
  patches: {
    ...EVEN,
    share: 10,
    events: { ...EVEN.events, edits: 40, runs: 30, flights: 140, strangers: 8, crashes: 2 },
    edits: [15, 85, 5, 2, 2],
    ids: ['x', 'x', 'x', 'y'],
    isNarrow: true,
    isInStep: true,
    isMissingMade: true,
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
