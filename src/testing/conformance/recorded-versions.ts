import type { Change, ChangesOptions } from '../../store/changes.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { check } from '../checks.ts';
import { SimulatedRuntime } from '../simulated-runtime.ts';
import { checkNotSupported, type ConformanceContext, type TestBench } from './conformance-context.ts';

/** Keeps versions for ten minutes. */
export const POLICY: Partial<ContainerInput> = { changeFeedPolicy: { retentionDuration: 10 } };
/** When the clock of a test starts. */
export const START_MS = 1735689600000;

/** What a change did to which document, as a short text. */
export function told({ operation, document, timeToLiveExpired }: Change): string {
  return `${timeToLiveExpired === true ? 'expire' : operation} ${document.id}`;
}

/** All changes behind a start, read in pages of which each is asked for by a feed of its own. */
export async function readAll(store: DocumentStore, options: ChangesOptions): Promise<{ changes: Change[]; cursor: string }> {
  const changes: Change[] = [];
  let from = options.from;
  for (let pages = 0; ; pages += 1) {
    const page = await store.changes({ ...options, mode: 'all', from }).nextPage();
    check(page.changes.length <= (options.maxItemCount ?? 100), 'a page of at most maxItemCount changes');
    changes.push(...page.changes);
    from = { cursor: page.cursor };
    if (page.caughtUp) {
      return { changes, cursor: page.cursor };
    }
    check(pages < 10_000, 'the feed to catch up');
  }
}

/** A cursor behind everything. */
export async function cursorOfNow(store: DocumentStore, scope: ChangesOptions = {}): Promise<{ readonly cursor: string }> {
  return { cursor: (await store.changes({ ...scope, mode: 'all', from: 'now' }).nextPage()).cursor };
}

/** Runs a test on a container whose versions are recorded, or asserts that the backend refuses to give them. */
export type Recorded = (
  work: (bench: TestBench, clock: SimulatedRuntime) => Promise<void>,
  container?: Partial<ContainerInput>,
) => Promise<void>;

/** Makes {@link Recorded}. */
export function recordedWith({ withStore }: ConformanceContext): Recorded {
  return (work, container = {}) => {
    const clock = new SimulatedRuntime({ seed: 'versions', startMs: START_MS });
    return withStore(
      async (bench) => {
        if (bench.backend.capabilities.allVersionsFeed) {
          await work(bench, clock);
        } else {
          await checkNotSupported(() => bench.store.changes({ mode: 'all', from: 'now' }).nextPage(), 'allVersionsFeed');
        }
      },
      { ...POLICY, ...container },
      clock,
    );
  };
}
