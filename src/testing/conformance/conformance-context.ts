import { canonicalJson } from '../../core/json-order.ts';
import type { JsonObject } from '../../core/json.ts';
import { systemRuntime, type Runtime } from '../../core/runtime.ts';
import type { Backend } from '../../store/backend.ts';
import type { CapabilityName } from '../../store/capabilities.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import { SYSTEM_PROPERTY_NAMES, type StoredDocument } from '../../store/document.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { checkEqual, checkRejects } from '../checks.ts';

/** The two functions of a test runner that the suite needs; those of Vitest, Mocha (`it` as `test`) and `node:test` fit. */
export interface ConformanceRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: () => Promise<void>) => unknown;
}

/** A backend made for one test. */
export interface OpenedBackend {
  readonly backend: Backend;
  /** Closes the backend and opens the same data again; for backends that keep data. */
  readonly reopen?: (() => Promise<Backend>) | undefined;
  /** Closes the backend and removes its data. */
  readonly dispose: () => Promise<void>;
}

/** Settings of the conformance suite. */
export interface StoreConformanceOptions {
  readonly runner: ConformanceRunner;
  /** Opens a fresh backend that shares nothing with any other, on the runtime given. */
  readonly open: (options: { readonly runtime: Runtime }) => Promise<OpenedBackend>;
  /** Puts a layer around each store before it is tested. */
  readonly wrap?: ((store: DocumentStore) => DocumentStore) | undefined;
  /** What stands at the head of the test names; `store conformance` unless said otherwise. */
  readonly name?: string | undefined;
  /** Takes the reasons of checks that are left out; the console unless said otherwise. */
  readonly print?: ((line: string) => void) | undefined;
}

/** A document of the suite. */
export type Item = JsonObject & { readonly id: string };

/** What a test has at hand. */
export interface TestBench {
  readonly backend: Backend;
  /** Opened on the container of the test. */
  readonly store: DocumentStore;
  readonly opened: OpenedBackend;
  /** Opens the container of the test once more, or another one. */
  readonly openStore: (id?: string) => Promise<DocumentStore>;
}

/** Where the tests of one topic are put, and what they share. */
export interface ConformanceContext {
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Runs `work` on a fresh backend with one database and one container. */
  readonly withStore: (work: (bench: TestBench) => Promise<void>, container?: Partial<ContainerInput>, runtime?: Runtime) => Promise<void>;
  /** Runs `work` on a fresh backend that holds nothing. */
  readonly withBackend: (work: (opened: OpenedBackend) => Promise<void>, runtime?: Runtime) => Promise<void>;
  /** Says why something is not checked. */
  readonly leaveOut: (reason: string) => void;
}

/** The database of the tests. */
export const DATABASE = 'conformance';
/** The container of the tests. */
export const CONTAINER = 'items';

/** Makes the context of one topic. */
export function conformanceContext(options: StoreConformanceOptions): ConformanceContext {
  const wrap = options.wrap ?? ((store: DocumentStore) => store);
  const print = options.print ?? ((line: string) => (globalThis as { console?: { log(line: string): void } }).console?.log(line));
  const withBackend = async (work: (opened: OpenedBackend) => Promise<void>, runtime: Runtime = systemRuntime): Promise<void> => {
    const opened = await options.open({ runtime });
    try {
      await work(opened);
    } finally {
      await opened.dispose();
    }
  };
  return {
    test: (name, body) => void options.runner.test(name, body),
    withBackend,
    withStore: (work, container, runtime) =>
      withBackend(async (opened) => {
        const { backend } = opened;
        await backend.createDatabase(DATABASE);
        await backend.createContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', ...container });
        const openStore = async (id = CONTAINER): Promise<DocumentStore> => wrap(await backend.container(DATABASE, id));
        await work({ backend, store: await openStore(), opened, openStore });
      }, runtime),
    leaveOut: (reason) => print(`store conformance: left out: ${reason}`),
  };
}

/** The document without what the store added. */
export function withoutSystem(document: StoredDocument | undefined): JsonObject | undefined {
  if (document === undefined) {
    return undefined;
  }
  const entries = Object.entries(document).filter(([key]) => !(SYSTEM_PROPERTY_NAMES as readonly string[]).includes(key));
  return Object.fromEntries(entries);
}

/** Fails unless the store holds exactly these documents, whatever their order. */
export async function checkContent(store: DocumentStore, expected: readonly JsonObject[], what: string): Promise<void> {
  const documents: (JsonObject | undefined)[] = [];
  for await (const change of store.changes()) {
    documents.push(withoutSystem(change.document));
  }
  const sorted = (list: readonly (JsonObject | undefined)[]): string[] => list.map((one) => canonicalJson(one ?? null)).sort();
  checkEqual(sorted(documents), sorted(expected), what);
}

/** Fails unless a call that needs an absent capability is refused by its name. */
export async function checkNotSupported(call: () => Promise<unknown>, capability: CapabilityName): Promise<void> {
  const error = await checkRejects(call, 'NOT_SUPPORTED', `a call that needs ${capability}`);
  checkEqual(error.details['capability'], capability, 'the capability in the details of NOT_SUPPORTED');
}

/** Runs `calls` at once and gives what became of each, in order. */
export function settleAll<R>(calls: readonly Promise<R>[]): Promise<PromiseSettledResult<R>[]> {
  return Promise.allSettled(calls);
}
