import { isPerigeeError, throwIfAborted } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Backend, ContainerInfo } from '../store/backend.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { StoredDocument } from '../store/document.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import { compareContainers } from './compare-containers.ts';
import type { ContainerMark, CopyMarks } from './copy-checkpoint.ts';
import type { CopyOptions } from './copy-options.ts';
import type { ContainerReport, CopyFailure, CopyProgress } from './copy-report.ts';
import type { DocumentReader } from './document-digest.ts';
import { describeTimeToLive, withRemainingLife } from './remaining-life.ts';
import { containerIdentity, targetContainer } from './target-container.ts';
import { DocumentWriter, type WriteCounts } from './write-documents.ts';

/** How often the checkpoint is written: what was done since is done again after a kill, and then found done. */
const CHECKPOINT_INTERVAL_MS = 1000;
const MAX_FAILURES = 100;

/** Copies one container: the documents that are there in the order of creation, then what the feed says has changed since before the first was read. */
export class ContainerCopy {
  readonly #options: CopyOptions;
  readonly #marks: CopyMarks;
  readonly #source: DocumentStore;
  readonly #target: DocumentStore;
  readonly #reader: DocumentReader;
  readonly #writer: DocumentWriter;
  readonly #identity: Pick<ContainerMark, 'source' | 'target'>;
  readonly #report: Pick<ContainerReport, 'database' | 'container' | 'createdContainer' | 'timeToLive'>;
  readonly #counts = { created: 0, replaced: 0, unchanged: 0, keptNewer: 0, failed: 0 };
  readonly #failures: CopyFailure[] = [];
  #resumed = false;
  /** Documents that the target refused in the runs before. */
  #failedBefore = 0;
  #total: number | undefined;
  #mark: ContainerMark | undefined;
  #savedMark: ContainerMark | undefined;
  #savedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    options: CopyOptions,
    marks: CopyMarks,
    stores: { readonly source: DocumentStore; readonly target: DocumentStore },
    found: { readonly source: ContainerInfo; readonly target: ContainerInfo; readonly created: boolean },
  ) {
    const { definition } = found.source;
    const policy = options.timeToLive ?? 'restart';
    this.#options = options;
    this.#marks = marks;
    this.#source = stores.source;
    this.#target = stores.target;
    this.#reader = {
      paths: definition.partitionKey.paths.map(parsePropertyPath),
      withoutTtl: policy === 'remaining' && definition.defaultTtl !== undefined,
    };
    this.#writer = new DocumentWriter({
      target: stores.target,
      reader: this.#reader,
      overwrite: options.overwrite ?? false,
      expires: definition.defaultTtl !== undefined,
      signal: options.signal,
    });
    // What was left under other options is not done under these.
    const chosen = JSON.stringify([options.overwrite ?? false, options.timeToLive]);
    this.#identity = { source: containerIdentity(found.source), target: containerIdentity(found.target) + chosen };
    this.#report = {
      database: found.source.databaseId,
      container: definition.id,
      createdContainer: found.created,
      timeToLive: describeTimeToLive(definition, policy),
    };
  }

  /** Copies a container of the source and gives its report. */
  static async run(options: CopyOptions, marks: CopyMarks, container: ContainerInfo): Promise<ContainerReport> {
    const { databaseId, definition } = container;
    const { info, created } = await targetContainer(options.to, container, options.timeToLive !== undefined);
    const stores = await openBoth(options.from, options.to, databaseId, definition.id);
    const copy = new ContainerCopy(options, marks, stores, { source: container, target: info, created });
    try {
      return await copy.#run();
    } finally {
      await stores.source.close();
      await stores.target.close();
    }
  }

  async #run(): Promise<ContainerReport> {
    const { timeToLive, database, container } = this.#report;
    if (timeToLive !== undefined) {
      this.#options.onNotice?.(timeToLive);
    }
    this.#total = await this.#count();
    try {
      await this.#copyAll();
    } catch (error) {
      // What ended the copy is worth more than what keeps the last second of it from being noted.
      await this.#save(true).catch(() => undefined);
      throw error;
    }
    await this.#save(true);
    const comparison =
      this.#options.verify === false
        ? undefined
        : await compareContainers({
            source: this.#source,
            target: this.#target,
            reader: this.#reader,
            maxNamed: this.#options.maxNamed ?? 100,
            pageItems: this.#pageItems,
            signal: this.#options.signal,
            onProgress: this.#comparisonProgress(),
          });
    // A comparison tells what is still so of what failed before; without one, nothing else would.
    const failed = comparison === undefined ? this.#failedSoFar : this.#counts.failed;
    const failures = this.#failures;
    return { ...this.#report, database, container, resumed: this.#resumed, ...this.#counts, failed, failures, comparison };
  }

  get #pageItems(): number {
    return this.#options.pageItems ?? 100;
  }

  get #failedSoFar(): number {
    return this.#failedBefore + this.#counts.failed;
  }

  async #count(): Promise<number | undefined> {
    if (!this.#source.capabilities.crossPartitionQuery) {
      return undefined;
    }
    const [count] = await this.#source.query<number>('SELECT VALUE COUNT(1) FROM c', { signal: this.#options.signal }).toArray();
    return count;
  }

  async #copyAll(): Promise<void> {
    const known = this.#marks.get(this.#report.database, this.#report.container);
    if (known !== undefined && known.source === this.#identity.source && known.target === this.#identity.target) {
      this.#mark = known;
      this.#savedMark = known;
      this.#resumed = true;
      this.#failedBefore = known.failed;
      try {
        await this.#scanAndFollow(known);
        return;
      } catch (error) {
        if (!isPerigeeError(error, 'INVALID_CONTINUATION')) {
          throw error;
        }
        // The source does not know its own tokens any more. To begin anew costs time and skips nothing.
        this.#resumed = false;
        this.#failedBefore = 0;
      }
    }
    // Taken before the first document is read, so that no change falls between reading and following.
    const { cursor } = await this.#source.changes({ from: 'now', signal: this.#options.signal }).nextPage();
    await this.#scanAndFollow({ ...this.#identity, cursor, continuation: undefined, begun: false, documents: 0, failed: 0 });
  }

  async #scanAndFollow(start: ContainerMark): Promise<void> {
    let mark = start;
    while (!mark.begun || mark.continuation !== undefined) {
      mark = await this.#scanPage(mark);
    }
    const feed = this.#source.changes({
      from: { cursor: mark.cursor },
      maxItemCount: this.#pageItems,
      signal: this.#options.signal,
    });
    for (let caughtUp = false; !caughtUp;) {
      throwIfAborted(this.#options.signal);
      const page = await feed.nextPage();
      await this.#write(page.changes.map(({ document }) => document));
      mark = { ...mark, cursor: page.cursor, documents: mark.documents + page.changes.length, failed: this.#failedSoFar };
      ({ caughtUp } = page);
      await this.#passed(mark, 'follow');
    }
  }

  async #scanPage(mark: ContainerMark): Promise<ContainerMark> {
    throwIfAborted(this.#options.signal);
    const page = await this.#source
      .query('SELECT * FROM c', { maxItemCount: this.#pageItems, continuation: mark.continuation, signal: this.#options.signal })
      .nextPage();
    await this.#write(page?.items ?? []);
    const documents = mark.documents + (page?.items.length ?? 0);
    const next = { ...mark, begun: true, continuation: page?.continuation, documents, failed: this.#failedSoFar };
    await this.#passed(next, 'copy');
    return next;
  }

  async #write(documents: readonly StoredDocument[]): Promise<void> {
    const living = documents.flatMap((document) => this.#toWrite(document) ?? []);
    if (living.length === 0) {
      return;
    }
    const counts: WriteCounts = await this.#writer.write(living);
    this.#counts.created += counts.created;
    this.#counts.replaced += counts.replaced;
    this.#counts.unchanged += counts.unchanged;
    this.#counts.keptNewer += counts.keptNewer;
    this.#counts.failed += counts.failures.length;
    this.#failures.push(...counts.failures.slice(0, MAX_FAILURES - this.#failures.length));
  }

  #toWrite(document: StoredDocument): (JsonObject & { readonly id: string }) | undefined {
    if (this.#options.timeToLive !== 'remaining') {
      return document;
    }
    const nowSeconds = Math.floor(this.#options.from.runtime.nowMs() / 1000);
    const copy = withRemainingLife(document, this.#source.definition, nowSeconds);
    return copy === undefined ? undefined : { ...copy, id: document.id };
  }

  async #passed(mark: ContainerMark, phase: CopyProgress['phase']): Promise<void> {
    this.#mark = mark;
    await this.#save(false);
    this.#progress(phase, mark.documents);
  }

  #progress(phase: CopyProgress['phase'], documents: number): void {
    const { database, container } = this.#report;
    this.#options.onProgress?.({ database, container, phase, documents, total: this.#total });
  }

  #comparisonProgress(): (documents: number) => void {
    let looked = 0;
    return (documents) => {
      looked += documents;
      this.#progress('compare', looked);
    };
  }

  /** Writes how far the copy is, once all before it is durable in the target. */
  async #save(isLast: boolean): Promise<void> {
    const mark = this.#mark;
    const nowMs = this.#options.from.runtime.monotonicMs();
    if (mark === undefined || mark === this.#savedMark || (!isLast && nowMs - this.#savedAtMs < CHECKPOINT_INTERVAL_MS)) {
      return;
    }
    await this.#target.flush();
    await this.#marks.set(this.#report.database, this.#report.container, mark);
    this.#savedMark = mark;
    this.#savedAtMs = nowMs;
  }
}

async function openBoth(
  from: Backend,
  to: Backend,
  databaseId: string,
  id: string,
): Promise<{ readonly source: DocumentStore; readonly target: DocumentStore }> {
  const source = await from.container(databaseId, id);
  try {
    return { source, target: await to.container(databaseId, id) };
  } catch (error) {
    await source.close();
    throw error;
  }
}
