/**
 * A device of the sync soak: a file, an engine and a person who edits without pause. It writes down each edit before it makes it and after it was acknowledged, and is
 * killed at any moment from outside.
 */
import { isPerigeeError } from '../../../src/core/errors.ts';
import { Draw } from '../../server/hostile/draw.ts';
import type { SoakDeviceOptions, SoakHolding, SoakMessage, SoakRequest, SoakRunSummary } from './soak-messages.ts';
import { readSoakLog, SoakLogWriter, SOAK_KEYS, textOf, type SoakDocument, type SoakOutcome, type SoakWrite } from './soak-write.ts';
import type { StoreTransaction } from '../../../src/store/document-store.ts';
import type * as Cosmos from '../../../src/stores/cosmos/index.ts';
import type * as Sqlite from '../../../src/stores/sqlite/index.ts';
import type * as Sync from '../../../src/sync/index.ts';

const options = JSON.parse(process.argv[2] as string) as SoakDeviceOptions;
const { device, program } = options;

/** Loads a part of the package: as it is published, or over the sources. */
function load<M>(entry: string): Promise<M> {
  return import(
    program === 'built' ? `perigee/${entry}` : `../../../src/${entry === 'sync' ? '' : 'stores/'}${entry}/index.ts`
  ) as Promise<M>;
}
const { openCosmosBackend } = await load<typeof Cosmos>('cosmos');
const { openSqliteBackend } = await load<typeof Sqlite>('sqlite');
const { SyncEngine } = await load<typeof Sync>('sync');

const CONTAINER = 'docs';
const known = readSoakLog(options.log, device);
const life = known.lives + 1;
const log = new SoakLogWriter(options.log, life);
const draw = new Draw(`${options.seed}-${device}-${life}`);

function tell(message: SoakMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });
}

/** A defect ends the process, and its parent says what it was. */
function fail(error: unknown): never {
  console.error(error);
  process.exit(70);
}

const remote = await openCosmosBackend({
  endpoint: options.endpoint,
  key: options.key,
  requestTimeoutMs: 3000,
  maxThrottleWaitMs: 2000,
});
const backend = await openSqliteBackend({ path: options.file });
const engine = await SyncEngine.open({
  backend,
  user: 'user',
  device,
  scope: SOAK_KEYS.map((owner) => ({ container: CONTAINER, partitionKey: owner })),
  remote: (container) => remote.container('soak', container),
  containers: [{ id: CONTAINER, partitionKey: '/owner', defaultTtl: -1 }],
  pageItems: 50,
  reconcileIntervalMs: 20_000,
});
const store = engine.store<SoakDocument>(CONTAINER);
engine.on('run', (report) => void tell({ run: summaryOf(report) }));

function summaryOf(report: Sync.SyncReport): SoakRunSummary {
  const { outcome, pushed, pulled, deletedLocally, conflictCount, rejectedCount, error } = report;
  if (error?.code === 'INTERNAL') {
    fail(error);
  }
  return { outcome, pushed, pulled, deletedLocally, conflictCount, rejectedCount, code: error?.code };
}

/** The own deletions of documents that nobody has made anew on this device: what makes one next names the deletion. */
const deletions = new Map<string, string>();

function remember(write: SoakWrite, outcome: SoakOutcome): void {
  if (outcome === 'done' || outcome === 'kept') {
    const place = `${write.owner}/${write.id}`;
    if (write.kind === 'delete') {
      deletions.set(place, write.name);
    } else {
      deletions.delete(place);
    }
  }
}

/** How a write ended during which the life before was killed: nothing but that write, those of its transaction, and syncs have touched the file. */
async function outcomeOf({ name, kind, id, owner, on }: SoakWrite): Promise<SoakOutcome> {
  const held = (await store.read(id, owner))?.document.write ?? null;
  if (held === (kind === 'delete' ? null : name)) {
    return 'kept';
  }
  // Who makes a document on top of a deletion holds none before.
  return held === (kind === 'create' ? null : on) ? 'undone' : 'unclear';
}

async function settleLast(): Promise<void> {
  for (const write of known.writes) {
    const outcome = known.outcomes.get(write.name);
    if (outcome !== undefined) {
      remember(write, outcome);
    }
  }
  const open = known.writes.filter(({ name }) => !known.outcomes.has(name));
  const outcomes = await Promise.all(open.map(outcomeOf));
  if (outcomes.includes('kept') && outcomes.includes('undone')) {
    throw new Error(
      `Half of a transaction is in the file after a kill: ${open.map(({ name }, index) => `${name} ${outcomes[index]}`).join(', ')}`,
    );
  }
  for (const [index, write] of open.entries()) {
    log.end(write.name, outcomes[index] as SoakOutcome);
    remember(write, outcomes[index] as SoakOutcome);
  }
}

/** Where a write is made: in a transaction, or for itself. */
type Place = Pick<StoreTransaction<SoakDocument>, 'create' | 'replace' | 'patch' | 'delete'>;

/** The store, as a transaction on one partition key has it. */
function alone(owner: string): Place {
  return {
    create: (document) => store.create(document),
    replace: (document, condition) => store.replace(document, condition),
    patch: (id, operations, condition) => store.patch(id, owner, operations, condition),
    delete: (id, condition) => store.delete(id, owner, condition),
  };
}

async function apply(place: Place, { name, kind, id, owner, on }: SoakWrite, etag: string | undefined): Promise<void> {
  const condition = etag === undefined ? {} : { ifMatch: etag };
  const text = textOf(name);
  if (kind === 'create') {
    await place.create({ id, owner, write: name, on, text });
  } else if (kind === 'replace') {
    await place.replace({ id, owner, write: name, on, text }, condition);
  } else if (kind === 'patch') {
    const values = { write: name, on, text };
    const operations = Object.entries(values).map(([key, value]) => ({ op: 'set' as const, path: `/${key}`, value }));
    await place.patch(id, operations, condition);
  } else {
    await place.delete(id, condition);
  }
}

interface Plan {
  readonly write: SoakWrite;
  readonly etag: string | undefined;
}

async function planOf(name: string, owner: string, id: string): Promise<Plan> {
  const held = await store.read(id, owner);
  const kind = held === undefined ? 'create' : draw.pick(['replace', 'replace', 'patch', 'patch', 'delete'] as const);
  const on = held === undefined ? (deletions.get(`${owner}/${id}`) ?? null) : held.document.write;
  return { write: { name, kind, id, owner, on }, etag: held?.etag };
}

/** One edit, or several documents at once. */
async function edit(number: number): Promise<void> {
  const owner = draw.pick(SOAK_KEYS);
  const first = draw.below(options.documentsPerKey);
  const count = draw.chance(0.3) ? 2 + draw.below(2) : 1;
  const plans: Plan[] = [];
  for (let index = 0; index < count; index += 1) {
    plans.push(await planOf(`${device}.${life}.${number + index / 10}`, owner, `doc-${(first + index) % options.documentsPerKey}`));
  }
  plans.forEach(({ write }) => log.begin(write));
  let outcome: SoakOutcome = 'done';
  try {
    await (count === 1 ? applyAll(alone(owner), plans) : store.transact(owner, (transaction) => applyAll(transaction, plans)));
  } catch (error) {
    // A sync has changed a document between reading and writing.
    if (!['CONFLICT', 'PRECONDITION_FAILED', 'NOT_FOUND'].some((code) => isPerigeeError(error) && error.code === code)) {
      throw error;
    }
    outcome = 'refused';
  }
  for (const { write } of plans) {
    log.end(write.name, outcome);
    remember(write, outcome);
  }
}

async function applyAll(place: Place, plans: readonly Plan[]): Promise<void> {
  for (const { write, etag } of plans) {
    await apply(place, write, etag);
  }
}

async function editWithoutEnd(): Promise<never> {
  for (let number = 1; ; number += 1) {
    await edit(number);
    void tell({ edits: number });
    const pauseMs = draw.chance(0.1) ? draw.below(600) : draw.below(60);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function contentOf({ id, owner, write, on, text }: SoakDocument): SoakDocument {
  return { id, owner, write, on, text };
}

async function holding(): Promise<SoakHolding> {
  const journal: SoakHolding['journal'][number][] = [];
  for (let afterSeq = 0; ;) {
    const entries = await engine.journal({ afterSeq, limit: 1000 });
    for (const { id, partitionKey, document, losingStamp, reason } of entries) {
      journal.push({ id, owner: partitionKey[0] as string, document: (document ?? null) as SoakDocument | null, losingStamp, reason });
    }
    const last = entries.at(-1);
    if (last === undefined) {
      break;
    }
    afterSeq = last.seq;
  }
  const letters = await engine.deadLetters.list({ limit: 1000 });
  return {
    documents: (await store.query<SoakDocument>('SELECT * FROM c').toArray()).map(contentOf),
    journal,
    deadLetters: letters.map(({ code, message, local }) => ({ code, message, document: (local ?? null) as SoakDocument | null })),
    pending: (await engine.status()).pending,
    verified: await engine.verify(),
  };
}

async function close(): Promise<void> {
  await engine.close();
  await backend.close();
  await remote.close();
}

async function answer(request: SoakRequest): Promise<void> {
  if (request === 'sync') {
    await tell({ synced: summaryOf(await engine.sync()) });
  } else if (request === 'tell') {
    await tell({ holding: await holding() });
  } else {
    await close();
    await tell({ closed: true });
    process.disconnect();
  }
}

// A device does not outlive its parent.
process.on('disconnect', () => process.exit(0));
await settleLast().catch(fail);
process.on('message', (request: SoakRequest) => void answer(request).catch(fail));
if (options.mode === 'edit') {
  engine.start({ intervalMs: 1000, debounceMs: 100, minBackoffMs: 100, maxBackoffMs: 2000 });
  let closing = false;
  editWithoutEnd().catch((error: unknown) => {
    if (!closing) {
      fail(error);
    }
  });
  // Asked to end, it does; its parent kills it in the middle of that.
  process.once('SIGTERM', () => {
    closing = true;
    close().then(() => process.exit(0), fail);
  });
}
await tell({ ready: true });
