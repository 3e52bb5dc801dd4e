import type { OperationInput, PatchOperation } from '@azure/cosmos';
import type { Draw } from '../hostile/draw.ts';
import type { Answer } from './gateway-cluster.ts';
import type { Call } from './history.ts';
import { ACCOUNTS, BALANCE, CONTAINERS, KEYS, type RunState, type SoakItem, type StoredSoakItem } from './run-state.ts';

/** Answers that say for sure that nothing was done. */
const REFUSALS = [404, 409, 412];
/** Answers of a server that is between two states; they do not say whether a write was done. */
const TROUBLE = [408, 429, 449, 503];

/** Share of the calls that go to one partition key whatever happens. */
const CROWDED_SHARE = 0.6;

/** Writes that one client sends at once. */
const TOGETHER = 4;

type Start = Pick<Call, 'container' | 'pk' | 'id' | 'start'>;
type Sent = Omit<Call, 'end' | 'outcome' | 'status' | 'etag' | 'found'>;
type Body = SoakItem & Record<string, string | number>;

/** One client that works without pause, on one gateway after the other, one call at a time, and writes down what it sent and what came of it. */
export class GatewayClient {
  readonly #state: RunState;
  readonly #draw: Draw;
  #isTroubled = false;

  constructor(state: RunState, draw: Draw) {
    this.#state = state;
    this.#draw = draw;
  }

  async run(): Promise<void> {
    const kinds = [
      () => this.#increment(),
      () => this.#increment(),
      () => this.#increment(),
      () => this.#upsert(this.#begin(this.#state.hotId(this.#draw))),
      () => this.#upsertTogether(),
      () => this.#create(),
      () => this.#patch(false),
      () => this.#patch(true),
      () => this.#delete(),
      () => this.#transfer(),
      () => this.#transfer(),
      () => this.#readAccounts(),
      () => this.#query(),
      () => this.#createOnce(),
    ];
    while (!this.#state.isOver) {
      this.#isTroubled = false;
      await this.#draw.pick(kinds)();
      // The process that measures is not to be the one that is busy, and servers that are down are not asked more than needed.
      await new Promise((resolve) => setTimeout(resolve, this.#draw.below(this.#isTroubled ? 100 : 4)));
    }
  }

  #begin(id: string): Start {
    // One partition key has most of the work, so that clients meet.
    const pk = this.#draw.chance(CROWDED_SHARE) ? (KEYS[0] as string) : this.#draw.pick(KEYS);
    return { container: this.#draw.pick(CONTAINERS), pk, id, start: this.#state.history.tick() };
  }

  #item({ pk, id }: Start, n: number): Body {
    return { id, pk, n, w: this.#state.fresh('w') };
  }

  /** Notes trouble of servers, and what no call of this run may be answered with. */
  #trouble(what: string, answer: Answer<unknown>): void {
    if (answer.kind === 'answered') {
      return;
    }
    const status = answer.kind === 'refused' ? String(answer.status) : answer.kind === 'unsent' ? 'not sent' : 'no answer';
    this.#isTroubled ||= answer.kind !== 'refused' || !REFUSALS.includes(answer.status);
    this.#state.count(`${what}: ${status}`);
    if (answer.kind === 'refused' && ![...REFUSALS, ...TROUBLE].includes(answer.status)) {
      this.#state.problems.push(`${what} was answered ${status}: ${(answer.error as Error).message.slice(0, 400)}`);
    }
  }

  /** Writes down a write and its outcome. */
  #note(sent: Sent, answer: Answer<{ readonly resource?: StoredSoakItem | undefined; readonly etag?: string }>): void {
    const end = this.#state.history.tick();
    this.#trouble(sent.kind, answer);
    if (answer.kind === 'answered') {
      const { resource } = answer.value;
      const found = resource === undefined ? {} : { found: { w: resource.w, n: resource.n }, etag: resource._etag };
      this.#state.history.add({ ...sent, ...found, end, outcome: 'ok' });
      this.#state.count(`${sent.kind}: done`);
    } else if (answer.kind === 'refused' && REFUSALS.includes(answer.status)) {
      this.#state.history.add({ ...sent, end, outcome: 'refused', status: answer.status });
    } else if (answer.kind !== 'unsent') {
      this.#state.history.add({ ...sent, end: Number.POSITIVE_INFINITY, outcome: 'unknown' });
      // So no document has many of these: each may have taken effect at any time, or never.
      this.#state.renewHot();
    }
  }

  /** Reads a document; `undefined` where no answer came, `missing` where there is none. */
  async #read({ container, pk, id, start }: Start): Promise<StoredSoakItem | 'missing' | undefined> {
    const answer = await this.#state
      .gateway(this.#draw)
      .send(container, (opened, abortSignal) => opened.item(id, pk).read<StoredSoakItem>({ abortSignal }));
    const end = this.#state.history.tick();
    this.#trouble('read', answer);
    const resource =
      answer.kind === 'answered' ? answer.value.resource : answer.kind === 'refused' && answer.status === 404 ? undefined : 'none';
    if (resource === 'none') {
      return undefined;
    }
    this.#noteRead({ container, pk, id, start }, end, resource);
    return resource ?? 'missing';
  }

  #noteRead(start: Start, end: number, item: StoredSoakItem | undefined): void {
    const found = item === undefined ? undefined : { w: item.w, n: item.n };
    this.#state.history.add({ ...start, kind: 'read', end, outcome: 'ok', found, etag: item?._etag });
    this.#state.count('read: done');
  }

  async #increment(): Promise<void> {
    const begun = this.#begin(this.#state.hotId(this.#draw));
    const found = await this.#read(begun);
    if (found === undefined || found === 'missing') {
      return;
    }
    const start = this.#state.history.tick();
    const item = this.#item(begun, found.n + 1);
    const accessCondition = { type: 'IfMatch', condition: found._etag };
    const answer = await this.#state
      .gateway(this.#draw)
      .send(begun.container, (opened, abortSignal) =>
        opened.item(begun.id, begun.pk).replace<StoredSoakItem>(item as unknown as StoredSoakItem, { accessCondition, abortSignal }),
      );
    this.#note({ ...begun, start, kind: 'replace', ifWrite: found.w, w: item.w, n: item.n }, answer);
  }

  /** Writes one document several times at once, and looks at it before and after. */
  async #upsertTogether(): Promise<void> {
    const begun = this.#begin(this.#state.hotId(this.#draw));
    const again = (): Start => ({ ...begun, start: this.#state.history.tick() });
    await Promise.all(Array.from({ length: TOGETHER }, () => this.#upsert(again())));
    await this.#read(again());
  }

  async #upsert(begun: Start): Promise<void> {
    const item = this.#item(begun, this.#draw.below(1000));
    const answer = await this.#state
      .gateway(this.#draw)
      .send(begun.container, (opened, abortSignal) =>
        opened.items.upsert<StoredSoakItem>(item as unknown as StoredSoakItem, { abortSignal }),
      );
    this.#note({ ...begun, kind: 'upsert', w: item.w, n: item.n }, answer);
  }

  async #create(id: string = this.#state.hotId(this.#draw)): Promise<void> {
    const begun = this.#begin(id);
    const item = this.#item(begun, this.#draw.below(1000));
    const answer = await this.#state
      .gateway(this.#draw)
      .send(begun.container, (opened, abortSignal) =>
        opened.items.create<StoredSoakItem>(item as unknown as StoredSoakItem, { abortSignal }),
      );
    this.#note({ ...begun, kind: 'create', w: item.w, n: item.n }, answer);
  }

  #createOnce(): Promise<void> {
    return this.#create(this.#state.fresh('once-'));
  }

  async #patch(onlyEven: boolean): Promise<void> {
    const begun = this.#begin(this.#state.hotId(this.#draw));
    const [w, by] = [this.#state.fresh('w'), 1 + this.#draw.below(5)];
    const operations: PatchOperation[] = [
      { op: 'incr', path: '/n', value: by },
      { op: 'set', path: '/w', value: w },
    ];
    const body = onlyEven ? { condition: 'FROM c WHERE c.n % 2 = 0', operations } : operations;
    const answer = await this.#state
      .gateway(this.#draw)
      .send(begun.container, (opened, abortSignal) => opened.item(begun.id, begun.pk).patch<StoredSoakItem>(body, { abortSignal }));
    this.#note({ ...begun, kind: 'patch', w, by, onlyEven }, answer);
  }

  async #delete(): Promise<void> {
    const begun = this.#begin(this.#state.hotId(this.#draw));
    const found = this.#draw.chance(0.5) ? await this.#read(begun) : undefined;
    const guard = found === undefined || found === 'missing' ? undefined : found;
    const options = guard === undefined ? {} : { accessCondition: { type: 'IfMatch', condition: guard._etag } };
    const start = this.#state.history.tick();
    const answer = await this.#state.gateway(this.#draw).send(begun.container, async (opened, abortSignal) => {
      await opened.item(begun.id, begun.pk).delete({ ...options, abortSignal });
      return {};
    });
    this.#note({ ...begun, start, kind: 'delete', ...(guard === undefined ? {} : { ifWrite: guard.w }) }, answer);
  }

  /** Moves something from one account to another in one batch, guarded by etags or not, and makes a document that tells of it. */
  async #transfer(): Promise<void> {
    const note = this.#begin(this.#state.fresh('note-'));
    const from = this.#draw.pick(ACCOUNTS);
    const to = this.#draw.pick(ACCOUNTS.filter((id) => id !== from));
    const amount = 1 + this.#draw.below(20);
    const guarded = this.#draw.chance(0.5);
    const batch = this.#state.fresh('batch-');
    const parts: { readonly sent: Sent; readonly operation: OperationInput }[] = [];
    for (const [id, by] of [
      [from, -amount],
      [to, amount],
    ] as const) {
      const begun = { ...note, id };
      const found = guarded ? await this.#read({ ...begun, start: this.#state.history.tick() }) : undefined;
      if (guarded && (found === undefined || found === 'missing')) {
        return;
      }
      const w = this.#state.fresh('w');
      if (typeof found === 'object') {
        const n = found.n + by;
        parts.push({
          sent: { ...begun, kind: 'replace', w, n, ifWrite: found.w, batch },
          operation: { operationType: 'Replace', id, ifMatch: found._etag, resourceBody: { id, pk: note.pk, w, n } },
        });
      } else {
        const operations: PatchOperation[] = [
          { op: 'incr', path: '/n', value: by },
          { op: 'set', path: '/w', value: w },
        ];
        parts.push({
          sent: { ...begun, kind: 'patch', w, by, batch },
          operation: { operationType: 'Patch', id, resourceBody: { operations } },
        });
      }
    }
    const item = this.#item(note, amount);
    parts.push({
      sent: { ...note, kind: 'create', w: item.w, n: amount, batch },
      operation: { operationType: 'Create', resourceBody: item },
    });
    await this.#batch(note, parts);
  }

  async #batch({ container, pk }: Start, parts: readonly { readonly sent: Sent; readonly operation: OperationInput }[]): Promise<void> {
    const start = this.#state.history.tick();
    const answer = await this.#state.gateway(this.#draw).send(container, (opened, abortSignal) =>
      opened.items.batch(
        parts.map(({ operation }) => operation),
        pk,
        { abortSignal },
      ),
    );
    const end = this.#state.history.tick();
    this.#trouble('batch', answer);
    if (answer.kind === 'unsent') {
      return;
    }
    const value = answer.kind === 'answered' ? answer.value : undefined;
    const results = (value?.result ?? []) as unknown as readonly {
      readonly statusCode: number;
      readonly eTag?: string;
      readonly resourceBody?: SoakItem;
    }[];
    if (value?.code === 200) {
      this.#state.count('batch: done');
      for (const [index, { sent }] of parts.entries()) {
        const { eTag, resourceBody } = results[index] ?? {};
        const found = resourceBody === undefined ? {} : { found: { w: resourceBody.w, n: resourceBody.n } };
        this.#state.history.add({ ...sent, ...found, start, end, outcome: 'ok', etag: eTag });
      }
      return;
    }
    const refusal = results.findIndex(({ statusCode }) => REFUSALS.includes(statusCode));
    if (value?.code === 207 && refusal !== -1) {
      this.#state.count('batch: refused');
      // Nothing of it was done, and of one document is known why.
      const { sent } = parts[refusal] as (typeof parts)[number];
      this.#state.history.add({ ...sent, start, end, outcome: 'refused', status: results[refusal]?.statusCode as number });
      return;
    }
    if (value !== undefined && ![...TROUBLE, 207].includes(value.code ?? 0)) {
      this.#state.problems.push(`A batch was answered ${value.code}: ${results.map(({ statusCode }) => statusCode).join(', ')}.`);
    }
    for (const { sent } of parts) {
      this.#state.history.add({ ...sent, start, end: Number.POSITIVE_INFINITY, outcome: 'unknown' });
    }
  }

  /** Reads all accounts of a partition key at one moment: whatever was moved between them, they hold as much as at first. */
  async #readAccounts(): Promise<void> {
    const begun = this.#begin('');
    const answer = await this.#state.gateway(this.#draw).send(begun.container, (opened, abortSignal) =>
      opened.items.batch(
        ACCOUNTS.map((id) => ({ operationType: 'Read', id })),
        begun.pk,
        { abortSignal },
      ),
    );
    const end = this.#state.history.tick();
    this.#trouble('batch of reads', answer);
    if (answer.kind !== 'answered' || answer.value.code !== 200) {
      return;
    }
    const items = ((answer.value.result ?? []) as readonly { readonly resourceBody: unknown }[]).map(
      ({ resourceBody }) => resourceBody as StoredSoakItem,
    );
    const sum = items.reduce((total, { n }) => total + n, 0);
    if (sum !== BALANCE * ACCOUNTS.length) {
      this.#state.problems.push(`${begun.container}/${begun.pk}: the accounts held ${sum} together, so half of a batch was seen.`);
    }
    for (const item of items) {
      this.#noteRead({ ...begun, id: item.id }, end, item);
    }
  }

  /** Reads by a query; each document that it gives was there so at some moment of it. */
  async #query(): Promise<void> {
    const begun = this.#begin('');
    const query = { query: 'SELECT * FROM c WHERE c.n % 7 = @n', parameters: [{ name: '@n', value: this.#draw.below(7) }] };
    const answer = await this.#state
      .gateway(this.#draw)
      .send(begun.container, (opened, abortSignal) =>
        opened.items.query<StoredSoakItem>(query, { partitionKey: begun.pk, maxItemCount: 50, abortSignal }).fetchNext(),
      );
    const end = this.#state.history.tick();
    this.#trouble('query', answer);
    for (const item of answer.kind === 'answered' ? (answer.value.resources ?? []) : []) {
      this.#noteRead({ ...begun, id: item.id }, end, item);
    }
  }
}
