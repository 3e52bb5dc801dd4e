import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { ScriptEngine, type ProcedureResult } from '../../../src/server/scripts/script-engine.ts';
import type { ScriptOptions } from '../../../src/server/scripts/script-options.ts';
import type { ScriptTarget } from '../../../src/server/scripts/script-target.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { SYSTEM_PROPERTY_NAMES, type StoredDocument } from '../../../src/store/document.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { PartitionKeyInput } from '../../../src/store/partition-key.ts';
import { containerSelf } from '../../../src/store/resource-id.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { sourceThread } from './source-thread.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** An engine over the sources, gone after the tests of the file. Its threads serve many tests, since each takes a while to start. */
export function openEngine(options: ScriptOptions = {}): ScriptEngine {
  const engine = new ScriptEngine({ createThread: sourceThread, ...options }, systemRuntime);
  cleanups.push(() => engine.close());
  return engine;
}

/** The backends whose transactions scripts are tried on. */
export const OPENERS: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: () => Promise.resolve(openMemoryBackend()),
  sqlite: () => {
    const folder = mkdtempSync(join(tmpdir(), 'perigee-scripts-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    return openSqliteBackend({ path: join(folder, 'store.sqlite') });
  },
};

let containers = 0;

/** A container with the partition key `/pk`, or another, on a backend of its own or a given one. */
export async function newStore(backend?: Backend, partitionKey: string | readonly string[] = '/pk'): Promise<DocumentStore> {
  let opened = backend;
  if (opened === undefined) {
    opened = openMemoryBackend();
    cleanups.push(() => opened?.close());
  }
  if ((await opened.readDatabase('db')) === undefined) {
    await opened.createDatabase('db');
  }
  containers += 1;
  const id = `c${containers}`;
  await opened.createContainer('db', { id, partitionKey });
  return opened.container('db', id);
}

/** The target of a script: a partition key of a store. */
export function targetOf(store: DocumentStore, partitionKey: PartitionKeyInput, more: Partial<ScriptTarget> = {}): ScriptTarget {
  return {
    store,
    partitionKey,
    links: { selfLink: containerSelf(store.rid), altLink: `dbs/db/colls/${store.definition.id}` },
    headers: {},
    wallClock: systemRuntime,
    functions: () => Promise.resolve([]),
    ...more,
  };
}

/** What a script gave: its body as a value, and the rest. */
export interface Executed extends ProcedureResult {
  readonly body: unknown;
}

/** Runs stored procedures with one engine; a function of the test is its source, so it may use nothing from outside. */
export function procedures(engine: ScriptEngine): (
  target: ScriptTarget,
  // eslint-disable-next-line typescript/no-unsafe-function-type
  script: string | ((...values: never[]) => unknown),
  parameters?: readonly JsonValue[],
  isLogging?: boolean,
) => Promise<Executed> {
  return async (target, script, parameters = [], isLogging = false) => {
    const result = await engine.execute({ id: 'script', source: String(script), parameters, isLogging }, target);
    return { ...result, body: result.bodyJson === undefined ? undefined : JSON.parse(result.bodyJson) };
  };
}

/** A document without what the store added. */
export function bare(document: StoredDocument | undefined): JsonObject | undefined {
  return document === undefined
    ? undefined
    : Object.fromEntries(Object.entries(document).filter(([name]) => !(SYSTEM_PROPERTY_NAMES as readonly string[]).includes(name)));
}

/** The documents of a partition key without what the store added, by id. */
export async function contentOf(store: DocumentStore, partitionKey: PartitionKeyInput): Promise<(JsonObject | undefined)[]> {
  const documents = await store.query('SELECT * FROM c ORDER BY c.id', { partitionKey }).toArray();
  return documents.map(bare);
}
