import { LazyModule } from '../core/lazy-module.ts';
import type * as AwaitRemote from './writes/await-remote.ts';
import type * as CaughtUp from './pull/caught-up.ts';
import type * as DeadLetterWork from './dead-letters/dead-letter-work.ts';
import type * as ForcedPush from './push/forced-push.ts';
import type * as Lists from './lists.ts';
import type * as LocalOnly from './form/local-only.ts';
import type * as MatchRemote from './remote/match-remote.ts';
import type * as Merge from './decide/merge.ts';
import type * as MigrateStored from './form/migrate-stored.ts';
import type * as OpenSpecialForm from './form/open-special-form.ts';
import type * as Reconcile from './pull/reconcile.ts';
import type * as SettleGroup from './decide/settle-group.ts';
import type * as SpecialOptions from './special-options.ts';
import type * as TypeFilter from './remote/type-filter.ts';
import type * as Verifier from './verify/verifier.ts';

/** Parts of the engine that are loaded when they are first wanted: a page does not pay for what few call, or call seldom. */
export const LATE: {
  readonly awaitRemote: LazyModule<typeof AwaitRemote>;
  readonly caughtUp: LazyModule<typeof CaughtUp>;
  readonly deadLetters: LazyModule<typeof DeadLetterWork>;
  readonly forcedPush: LazyModule<typeof ForcedPush>;
  readonly form: LazyModule<typeof OpenSpecialForm>;
  readonly groups: LazyModule<typeof SettleGroup>;
  readonly lists: LazyModule<typeof Lists>;
  readonly localOnly: LazyModule<typeof LocalOnly>;
  readonly matching: LazyModule<typeof MatchRemote>;
  readonly merging: LazyModule<typeof Merge>;
  readonly migration: LazyModule<typeof MigrateStored>;
  readonly options: LazyModule<typeof SpecialOptions>;
  readonly reconciliation: LazyModule<typeof Reconcile>;
  readonly typeFilter: LazyModule<typeof TypeFilter>;
  readonly verifier: LazyModule<typeof Verifier>;
} = {
  awaitRemote: new LazyModule(() => import('./writes/await-remote.ts')),
  caughtUp: new LazyModule(() => import('./pull/caught-up.ts')),
  deadLetters: new LazyModule(() => import('./dead-letters/dead-letter-work.ts')),
  forcedPush: new LazyModule(() => import('./push/forced-push.ts')),
  form: new LazyModule(() => import('./form/open-special-form.ts')),
  groups: new LazyModule(() => import('./decide/settle-group.ts')),
  lists: new LazyModule(() => import('./lists.ts')),
  localOnly: new LazyModule(() => import('./form/local-only.ts')),
  matching: new LazyModule(() => import('./remote/match-remote.ts')),
  merging: new LazyModule(() => import('./decide/merge.ts')),
  migration: new LazyModule(() => import('./form/migrate-stored.ts')),
  options: new LazyModule(() => import('./special-options.ts')),
  reconciliation: new LazyModule(() => import('./pull/reconcile.ts')),
  typeFilter: new LazyModule(() => import('./remote/type-filter.ts')),
  verifier: new LazyModule(() => import('./verify/verifier.ts')),
};

/** Loads all of them, for whoever must not depend on how long that takes. */
export async function loadLateParts(): Promise<void> {
  await Promise.all(Object.values(LATE).map((part: LazyModule<unknown>) => part.load()));
}
