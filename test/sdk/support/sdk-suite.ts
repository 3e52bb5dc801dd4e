import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import type { ServerOptions } from '../../../src/server/index.ts';
import { isFeatureId, type FeatureId } from '../features.ts';
import { Account } from './account.ts';
import { chosenStores, type StoreName } from './store-names.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Features that a test shows. */
    features?: readonly FeatureId[];
    /** The store that it ran on. */
    store?: StoreName;
  }
}

/** What a test is given. */
export interface Sdk {
  readonly store: StoreName;
  /** The account that the tests of a file share; each test makes databases of its own in it. */
  readonly account: Account;
  /** An account of the test's own, for other options and for what concerns a whole account. `runtime` is the clock of its documents. */
  readonly own: (options?: Partial<ServerOptions>, runtime?: ServerOptions['runtime']) => Promise<Account>;
}

/** Declares a test that shows one feature, or several, of `test/sdk/features.ts`. */
export type FeatureTest = (features: FeatureId | readonly FeatureId[], title: string, run: (sdk: Sdk) => Promise<void>) => void;

/** Runs the tests that `define` declares on each store that was chosen. @throws for a feature that is not in the table */
export function sdkSuite(define: (feature: FeatureTest) => void): void {
  for (const store of chosenStores()) {
    describe(store, () => {
      let account: Account;
      beforeAll(async () => {
        account = await Account.open(store);
      });
      afterAll(() => account.close());
      const own: Sdk['own'] = async (options, runtime) => {
        const opened = await Account.open(store, options, runtime);
        onTestFinished(() => opened.close());
        return opened;
      };
      define((features, title, run) => {
        const ids = typeof features === 'string' ? [features] : features;
        const unknown = ids.filter((id) => !isFeatureId(id));
        if (unknown.length > 0) {
          throw new Error(`There is no feature ${unknown.join(', ')} in test/sdk/features.ts, of which "${title}" is a test.`);
        }
        test(title, async ({ task }) => {
          task.meta.features = ids;
          task.meta.store = store;
          await run({ store, account, own });
        });
      });
    });
  }
}

/** The status with which a call of the SDK was refused; `undefined` where it was not. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}

/** Status and sub-status with which a call of the SDK was refused. */
export async function refusalOf(call: Promise<unknown>): Promise<{ readonly code?: unknown; readonly substatus?: unknown }> {
  try {
    await call;
    return {};
  } catch (error) {
    const { code, substatus } = error as { readonly code?: unknown; readonly substatus?: unknown };
    return { code, substatus };
  }
}
