import { closeSync, fdatasyncSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { ResidentContainer } from '../common/resident-container.ts';
import type { DraftChange } from '../common/resident-draft.ts';
import { readContainerState, writeContainerState, type ContainerState, type KnownContent } from './container-state.ts';
import { assertNoLink, assertPlainFile, changedFile } from './damaged-file.ts';
import { commitLine, lineEtag } from './document-lines.ts';
import { wrapFileError } from './file-errors.ts';
import { changedSeconds, isSameSnapshot, snapshotAt, snapshotOfOpen, type FileSnapshot } from './file-snapshot.ts';
import { foldContainer } from './fold-container.ts';
import { loadContainer, type PlainLine } from './load-container.ts';
import { syncFolder, writeWhole } from './replace-file.ts';

/** What all containers of a backend share. */
export interface FolderSettings {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly readOnly: boolean;
  readonly synchronous: 'normal' | 'full';
  readonly maxFileBytes: number;
  readonly foldAfterMs: number;
  /** What queries call as `udf.name(…)`. */
  readonly userFunctions: ReadonlyMap<string, ScalarFunction>;
  /** Whether this process still has the right to write. */
  readonly isLocked: () => boolean;
}

/** Files of one container. */
export interface ContainerPaths {
  readonly documents: string;
  readonly definition: string;
  readonly state: string;
}

/** What a container is made of. */
export interface FileContainerParts {
  readonly info: ContainerInfo;
  readonly incarnation: string;
  readonly paths: ContainerPaths;
  readonly settings: FolderSettings;
  /** Writes what is not written yet of the definition; called before the first document is written. */
  readonly writeDefinition: () => void;
  /** Writes another definition. */
  readonly replaceDefinition: (info: ContainerInfo) => void;
}

/** Digest of nothing. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Overtaken lines that a file may have beside as many as it has documents. */
const MIN_WASTE = 1000;

/**
 * The file of one container: loaded when the container is first opened, appended to with every commit, folded to one line a document when it is
 * quiet and when it closes.
 */
export class FileContainer {
  readonly resident: ResidentContainer;
  readonly #parts: FileContainerParts;
  #loading: Promise<void> | undefined;
  #known: KnownContent = { sha256: EMPTY_SHA256, bytes: 0, plainBase: 0, plainTs: 0, plainEnd: 0 };
  #plain: ReadonlyMap<string, PlainLine> = new Map();
  #snapshot: FileSnapshot | undefined;
  #handle: number | undefined;
  #isOpenEnded = false;
  #needsFold = false;
  #needsSync = false;
  #waste = 0;
  #lastAppendMs = 0;
  #cancelFold: CancelTimer | undefined;
  #folding: Promise<void> | undefined;
  #refusal: PerigeeError | undefined;
  /** Where a line begins that was not written whole and could not be taken back. */
  #tornAt: number | undefined;

  constructor(parts: FileContainerParts) {
    this.#parts = parts;
    this.resident = new ResidentContainer(parts.info, parts.settings.runtime, {
      incarnation: parts.incarnation,
      etagOf: (version) => lineEtag(parts.incarnation, version),
      userFunctions: parts.settings.userFunctions,
      keep: (changes) => this.#append(changes),
    });
  }

  get #path(): string {
    return this.#parts.paths.documents;
  }

  /** Reads the file, once; a file that was refused is read again when asked again. @throws STORE_CORRUPT, TOO_LARGE, STORE_CHANGED, STORE_IO, STORE_READ_ONLY */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw wrapFileError(error, `read ${JSON.stringify(this.#path)}`);
    });
    return this.#loading;
  }

  /** Takes another definition. One with another time to live needs the documents, since what has expired must not come back. */
  async replaceDefinition(info: ContainerInfo): Promise<void> {
    const { defaultTtl } = info.definition;
    if (defaultTtl !== this.resident.info.definition.defaultTtl) {
      await this.load();
    }
    await this.resident.redefine(defaultTtl, () => {
      this.#parts.replaceDefinition(info);
      return info;
    });
  }

  /** Brings the file to one line a document, unless it is so already, or is no longer what this container wrote. */
  fold(): Promise<void> {
    this.#folding ??= this.resident
      .exclusively(undefined, () => this.#fold())
      .catch((error: unknown) => {
        // Everything acknowledged is in the file as it is, so nothing is lost; the next fold may succeed.
        const failure = wrapFileError(error, `tidy ${JSON.stringify(this.#path)}`);
        this.#parts.settings.logger.log('warn', 'A file could not be tidied; its content is complete.', { error: failure });
      })
      .finally(() => {
        this.#folding = undefined;
      });
    return this.#folding;
  }

  /** Resolves when what was written survives a loss of power. */
  flush(): void {
    if (this.#needsSync) {
      try {
        this.#handle ??= openSync(this.#path, 'a');
        fdatasyncSync(this.#handle);
        syncFolder(dirname(this.#path));
        this.#needsSync = false;
      } catch (error) {
        throw wrapFileError(error, `write ${JSON.stringify(this.#path)} to the disk`);
      }
    }
  }

  async close(): Promise<void> {
    this.#cancelFold?.();
    await this.#loading?.catch(() => undefined);
    await this.#folding;
    if (this.#needsFold && !this.resident.isDeleted) {
      await this.fold();
    }
    this.#closeHandle();
  }

  /** Removes the container's files. */
  async remove(): Promise<void> {
    this.resident.markDeleted();
    await this.close();
    const { documents, definition, state } = this.#parts.paths;
    // The definition goes last: documents without one would be taken for a container that a person made.
    for (const path of [documents, definition, state]) {
      rmSync(path, { force: true });
    }
  }

  async #load(): Promise<void> {
    const { paths, settings } = this.#parts;
    const state = readContainerState(paths.state);
    assertPlainFile(paths.documents);
    const handle = await open(paths.documents, 'r').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return undefined;
      }
      throw error;
    });
    if (handle === undefined) {
      this.#known = { ...this.#known, plainBase: state.position };
      await this.resident.restore({ rows: [], ordinal: state.ordinal, position: state.position });
      return;
    }
    try {
      const snapshot = snapshotOfOpen(handle.fd);
      if (snapshot.size > BigInt(settings.maxFileBytes)) {
        throw new PerigeeError(
          'TOO_LARGE',
          `Cannot read ${JSON.stringify(paths.documents)}: it is larger than ${settings.maxFileBytes} bytes. Raise maxFileBytes, or keep data of this size in SQLite.`,
        );
      }
      const loaded = await loadContainer(handle, this.resident, {
        path: paths.documents,
        state,
        changedTs: changedSeconds(snapshot),
        mayBeWritten: settings.readOnly,
        runtime: settings.runtime,
      });
      if (!settings.readOnly && !isSameSnapshot(snapshot, snapshotAt(paths.documents))) {
        throw changedFile(paths.documents);
      }
      await this.resident.restore(loaded.content);
      this.#known = loaded.known;
      this.#plain = loaded.plain;
      this.#isOpenEnded = loaded.isOpenEnded;
      this.#needsFold = loaded.needsFold && !settings.readOnly;
      this.#snapshot = snapshot;
    } finally {
      await handle.close();
    }
  }

  /** @throws STORE_READ_ONLY, STORE_CHANGED */
  #assertWritable(): void {
    const { settings } = this.#parts;
    if (settings.readOnly) {
      throw new PerigeeError('STORE_READ_ONLY', `Cannot write to ${JSON.stringify(this.#path)}: the folder was opened to read only.`);
    }
    if (this.#refusal === undefined && !isSameSnapshot(this.#snapshot, snapshotAt(this.#path))) {
      this.#refusal = changedFile(this.#path);
    }
    if (this.#refusal !== undefined) {
      throw this.#refusal;
    }
  }

  #append(changes: readonly DraftChange[]): void {
    try {
      this.#assertWritable();
      const handle = this.#handle ?? this.#openHandle();
      this.#write(handle, `${this.#isOpenEnded ? '\n' : ''}${commitLine(changes, this.resident.incarnation)}\n`);
    } catch (error) {
      throw wrapFileError(error, `write to ${JSON.stringify(this.#path)}`);
    }
    // What is committed is not seen yet, so a row of the key is the one before.
    const waste = changes.filter(({ key, removed }) => removed !== undefined || this.resident.row(key) !== undefined).length;
    this.#isOpenEnded = false;
    this.#waste += waste;
    this.#needsFold ||= waste > 0 || changes.length > 1;
    this.#scheduleFold();
  }

  /** Opens the file to append, once everything else that the container needs is written. */
  #openHandle(): number {
    const { paths, settings, writeDefinition } = this.#parts;
    assertNoLink(dirname(paths.documents));
    assertNoLink(paths.documents);
    writeDefinition();
    writeContainerState(paths.state, this.#state([this.#known]), settings.runtime);
    // A file that was not there must not be there now.
    this.#handle = openSync(paths.documents, this.#snapshot === undefined ? 'ax' : 'a');
    this.#snapshot = snapshotOfOpen(this.#handle);
    if (settings.synchronous === 'full') {
      syncFolder(dirname(paths.documents));
    }
    return this.#handle;
  }

  /** Appends a text, all of it or nothing. */
  #write(handle: number, text: string): void {
    const { settings } = this.#parts;
    if (this.#tornAt !== undefined) {
      this.#takeBack(handle, this.#tornAt);
    }
    const size = Number(this.#snapshot?.size ?? 0n);
    if (size + Buffer.byteLength(text) > settings.maxFileBytes) {
      throw new PerigeeError(
        'STORE_FULL',
        `Cannot write to ${JSON.stringify(this.#path)}: it would be larger than ${settings.maxFileBytes} bytes. Raise maxFileBytes, or keep data of this size in SQLite.`,
      );
    }
    try {
      writeWhole(handle, text);
      if (settings.synchronous === 'full') {
        fdatasyncSync(handle);
      }
    } catch (error) {
      this.#tornAt = size;
      this.#takeBack(handle, size);
      throw error;
    }
    this.#snapshot = snapshotOfOpen(handle);
    this.#needsSync = settings.synchronous !== 'full';
    if (Number(this.#snapshot.size) !== size + Buffer.byteLength(text)) {
      // Somebody else appended between the look and the write. Both are there, and only a person can tell what to make of it.
      this.#refusal = changedFile(this.#path);
    }
  }

  #takeBack(handle: number, size: number): void {
    try {
      ftruncateSync(handle, size);
      this.#tornAt = undefined;
    } finally {
      this.#snapshot = snapshotOfOpen(handle);
    }
  }

  #state(known: readonly KnownContent[]): ContainerState {
    return { ordinal: this.resident.lastOrdinal, position: this.resident.position, known };
  }

  #scheduleFold(): void {
    const { runtime, foldAfterMs } = this.#parts.settings;
    this.#lastAppendMs = runtime.monotonicMs();
    if (!this.#needsFold || this.#cancelFold !== undefined) {
      return;
    }
    const arm = (delayMs: number): void => {
      this.#cancelFold = runtime.setTimer(delayMs, () => {
        const quietMs = runtime.monotonicMs() - this.#lastAppendMs;
        const isWorthIt = quietMs >= foldAfterMs || this.#waste >= MIN_WASTE + this.resident.rows.size;
        // A transaction may take as long as it likes, and may itself wait for what would then wait for it.
        if (!isWorthIt || this.resident.isHeld) {
          arm(Math.max(1, foldAfterMs - quietMs));
          return;
        }
        this.#cancelFold = undefined;
        void this.fold();
      });
    };
    arm(foldAfterMs);
  }

  async #fold(): Promise<void> {
    if (!this.#needsFold || this.#refusal !== undefined || this.resident.isDeleted) {
      return;
    }
    const { paths, settings } = this.#parts;
    const check = (): void => {
      if (!settings.isLocked()) {
        this.#refusal = changedFile(this.#path);
      }
      this.#assertWritable();
    };
    check();
    assertNoLink(paths.documents);
    this.#known = await foldContainer({
      container: this.resident,
      path: paths.documents,
      plain: this.#plain,
      known: this.#known,
      runtime: settings.runtime,
      // Told before the file is replaced, and knowing both contents, so that a kill in between leaves nothing unknown.
      beforeReplace: (next) => {
        check();
        writeContainerState(paths.state, this.#state([this.#known, next]), settings.runtime);
        // Not every system lets a file be replaced that is open.
        this.#closeHandle();
      },
    });
    this.#snapshot = snapshotAt(paths.documents);
    this.#isOpenEnded = false;
    this.#needsFold = false;
    this.#needsSync = false;
    this.#waste = 0;
  }

  #closeHandle(): void {
    if (this.#handle !== undefined) {
      closeSync(this.#handle);
      this.#handle = undefined;
    }
  }
}
