import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PerigeeError } from '../../core/errors.ts';
import { toHex } from '../../core/runtime.ts';
import type { ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import { derivedId, writeContainerFile, writeDatabaseFile, type ContainerFile, type StoreMembers } from './container-file.ts';
import { assertNoLink } from './damaged-file.ts';
import { FileContainer, type FolderSettings } from './file-container.ts';
import { clashKey, decodeName, encodeName } from './file-names.ts';
import {
  containerBases,
  DATABASE_FILE,
  DEFINITION_ENDING,
  derivedEtag,
  DOCUMENTS_ENDING,
  numberAll,
  type FoundContainer,
  type FoundDatabase,
} from './folder-scan.ts';
import { isTemporary } from './replace-file.ts';

/** The folder of a backend, and what all in it share. */
export interface OpenFolder {
  readonly root: string;
  /** Folder of what is not for persons. */
  readonly privateFolder: string;
  readonly settings: FolderSettings;
  /** Etag and time of what is written now. */
  readonly stamp: () => { readonly etag: string; readonly ts: number };
}

/** A container of a database, or why it cannot be used. */
export type ContainerSlot = { readonly base: string; readonly number: number } & (
  | { readonly file: FileContainer; readonly damage?: undefined }
  | { readonly file?: undefined; readonly damage: PerigeeError }
);

/** Makes the container of a file; its definition is written again when it does not say everything yet. */
export function containerOf(
  open: OpenFolder,
  where: { readonly folder: string; readonly stateFolder: string; readonly base: string; readonly rid: string },
  file: ContainerFile,
  databaseId: string,
  fallback: StoreMembers,
): FileContainer {
  const members: StoreMembers & { readonly incarnation: string } = {
    number: fallback.number,
    etag: file.store.etag ?? fallback.etag,
    ts: file.store.ts ?? fallback.ts,
    incarnation: file.store.incarnation ?? derivedId('incarnation', databaseId, file.definition.id),
  };
  const path = join(where.folder, where.base + DEFINITION_ENDING);
  let isWritten = file.store.number === members.number && file.store.incarnation !== undefined;
  const info: ContainerInfo = { databaseId, rid: where.rid, etag: members.etag, ts: members.ts, definition: file.definition };
  const container: FileContainer = new FileContainer({
    info,
    incarnation: members.incarnation,
    paths: {
      documents: join(where.folder, where.base + DOCUMENTS_ENDING),
      definition: path,
      state: join(where.stateFolder, `${where.base}.json`),
    },
    settings: open.settings,
    writeDefinition: () => {
      if (!isWritten) {
        const { definition, etag, ts } = container.resident.info;
        writeContainerFile(path, definition, decodeName(where.base) === 'cut', { ...members, etag, ts }, open.settings.runtime);
        isWritten = true;
      }
    },
    replaceDefinition: (next) => {
      const { definition, etag, ts } = next;
      writeContainerFile(path, definition, decodeName(where.base) === 'cut', { ...members, etag, ts }, open.settings.runtime);
      isWritten = true;
    },
  });
  return container;
}

/** A database: a folder, and the containers in it. */
export class FolderDatabase {
  readonly info: DatabaseInfo;
  readonly folder: string;
  readonly number: number;
  /** Why it cannot be used; its containers cannot either then. */
  readonly damage: PerigeeError | undefined;
  readonly containers: Map<string, ContainerSlot> = new Map<string, ContainerSlot>();
  readonly #open: OpenFolder;
  #lastContainer: number;
  #isWritten: boolean;

  constructor(open: OpenFolder, number: number, found: FoundDatabase) {
    const { id, folder, store, changedTs, damage } = found;
    this.#open = open;
    this.number = number;
    this.folder = folder;
    this.damage = damage;
    this.info = { id, rid: databaseRid(number), etag: store.etag ?? derivedEtag(id), ts: store.ts ?? changedTs };
    this.#isWritten = store.number === number;
    const numbers = numberAll(found.containers, (one) => one.file?.store.number);
    for (const container of found.containers.toSorted((left, right) => (numbers.get(left) ?? 0) - (numbers.get(right) ?? 0))) {
      this.containers.set(container.id, this.#slotOf(container, numbers.get(container) ?? 0));
    }
    this.#lastContainer = Math.max(store.containers ?? 0, ...numbers.values());
  }

  get #path(): string {
    return join(this.#open.root, this.folder);
  }

  get #statePath(): string {
    return join(this.#open.privateFolder, 'state', this.folder);
  }

  /** Writes the database's own file, where it does not say everything yet. */
  write(): void {
    if (!this.#isWritten) {
      const { id, etag, ts } = this.info;
      const store = { number: this.number, etag, ts, containers: this.#lastContainer };
      writeDatabaseFile(
        join(this.#path, DATABASE_FILE),
        decodeName(this.folder) === 'cut' ? id : undefined,
        store,
        this.#open.settings.runtime,
      );
      this.#isWritten = true;
    }
  }

  createContainer(definition: ContainerDefinition): FileContainer {
    const { settings, stamp } = this.#open;
    this.write();
    const base = encodeName(definition.id, new Set(containerBases(readdirSync(this.#path)).map(clashKey)));
    const number = this.#lastContainer + 1;
    const store = { number, ...stamp(), incarnation: toHex(settings.runtime.randomBytes(8)) };
    writeContainerFile(join(this.#path, base + DEFINITION_ENDING), definition, decodeName(base) === 'cut', store, settings.runtime);
    this.#lastContainer = number;
    const file = this.#containerOf(base, { definition, store }, store);
    this.containers.set(definition.id, { base, number, file });
    return file;
  }

  async deleteContainer(id: string): Promise<void> {
    const slot = this.containers.get(id);
    if (slot === undefined) {
      return;
    }
    assertNoLink(this.#path);
    this.containers.delete(id);
    await slot.file?.remove();
    for (const ending of [DOCUMENTS_ENDING, DEFINITION_ENDING]) {
      rmSync(join(this.#path, slot.base + ending), { force: true });
    }
    if (slot.number === this.#lastContainer) {
      // Its number is shown by nothing else now, and must not come again.
      this.#isWritten = false;
      this.write();
    }
  }

  /** @throws STORE_READ_ONLY where the folder is a link, so that its files are another folder's */
  assertRemovable(): void {
    assertNoLink(this.#path);
  }

  /** Removes the folder with all that the store put there; what a person put beside it stays. */
  async remove(): Promise<void> {
    for (const { file } of this.containers.values()) {
      file?.resident.markDeleted();
      await file?.close();
    }
    const bases = new Set([...this.containers.values()].map(({ base }) => base));
    const names = readdirSync(this.#path);
    const isOurs = (name: string): boolean =>
      name === DATABASE_FILE || isTemporary(name) || containerBases([name]).some((base) => bases.has(base));
    if (names.every(isOurs)) {
      // One step, so that a kill leaves all of it or nothing.
      const trash = join(this.#open.privateFolder, `trash-${toHex(this.#open.settings.runtime.randomBytes(8))}`);
      renameSync(this.#path, trash);
      rmSync(trash, { recursive: true, force: true });
    } else {
      for (const name of names.filter(isOurs)) {
        rmSync(join(this.#path, name), { force: true });
      }
    }
    rmSync(this.#statePath, { recursive: true, force: true });
  }

  #slotOf(found: FoundContainer, number: number): ContainerSlot {
    const { base, file, damage, changedTs, id } = found;
    if (file === undefined || damage !== undefined) {
      return { base, number, damage: damage as PerigeeError };
    }
    return { base, number, file: this.#containerOf(base, file, { number, etag: derivedEtag(this.info.id, id), ts: changedTs }) };
  }

  #containerOf(base: string, file: ContainerFile, fallback: StoreMembers): FileContainer {
    const rid = containerRid(this.info.rid, fallback.number);
    const where = { folder: this.#path, stateFolder: this.#statePath, base, rid };
    return containerOf(this.#open, where, file, this.info.id, fallback);
  }
}

/** The folder of a new database: one that is there and holds no database is used, so that a person may have made it. */
export function makeDatabaseFolder(root: string, id: string): string {
  const taken = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => !entry.isDirectory() || entry.name !== encodeName(id, new Set()),
  );
  const folder = encodeName(id, new Set(taken.map(({ name }) => clashKey(name))));
  mkdirSync(join(root, folder), { recursive: true });
  return folder;
}
