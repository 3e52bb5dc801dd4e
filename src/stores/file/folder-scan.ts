import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPerigeeError, type PerigeeError } from '../../core/errors.ts';
import { defineContainer } from '../../store/container-definition.ts';
import { checkResourceName } from '../../store/ids.ts';
import { derivedId, readContainerFile, readDatabaseFile, type ContainerFile, type StoreMembers } from './container-file.ts';
import { damagedFile } from './damaged-file.ts';
import { wrapFileError } from './file-errors.ts';
import { decodeName } from './file-names.ts';
import { isTemporary } from './replace-file.ts';

/** Where the store keeps what is not for persons. No database has it: names never begin with a dot. */
export const PRIVATE_FOLDER = '.perigee';
export const DATABASE_FILE = 'database.json';
export const DOCUMENTS_ENDING = '.jsonl';
export const DEFINITION_ENDING = '.container.json';

/** A container as its files say it. */
export interface FoundContainer {
  readonly id: string;
  /** Its files without ending. */
  readonly base: string;
  /** Why it cannot be used. */
  readonly damage: PerigeeError | undefined;
  readonly file: ContainerFile | undefined;
  /** When its files were last changed, in seconds. */
  readonly changedTs: number;
}

/** A database as its folder says it. */
export interface FoundDatabase {
  readonly id: string;
  readonly folder: string;
  readonly damage: PerigeeError | undefined;
  readonly store: Partial<StoreMembers>;
  readonly changedTs: number;
  readonly containers: readonly FoundContainer[];
}

/** The containers' names in a folder: files with one of the two endings. */
export function containerBases(names: readonly string[]): string[] {
  const bases = names.flatMap((name) => {
    const ending = [DOCUMENTS_ENDING, DEFINITION_ENDING].find((one) => name.endsWith(one) && name.length > one.length);
    return ending === undefined || name.startsWith('.') ? [] : [name.slice(0, -ending.length)];
  });
  return [...new Set(bases)].sort();
}

function changedTsOf(...paths: readonly string[]): number {
  return Math.max(0, ...paths.map((path) => Math.floor((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000)));
}

/** The id of a name, or why it has none. A cut name says it in its file. */
function idOf(path: string, name: string, said: string | undefined): string {
  const decoded = decodeName(name);
  const id = decoded === 'cut' ? said : decoded?.id;
  if (id === undefined) {
    throw damagedFile(path, decoded === 'cut' ? 'its name is cut, and no file says the whole' : 'its name has an escape that is none');
  }
  try {
    return checkResourceName(id);
  } catch (cause) {
    throw damagedFile(path, 'its name is no id of a database or container', cause);
  }
}

/** Runs a look at a file and gives its refusal instead of raising it. */
function attempt<R>(
  what: string,
  look: () => R,
): { readonly value: R; readonly damage: undefined } | { readonly value: undefined; readonly damage: PerigeeError } {
  try {
    return { value: look(), damage: undefined };
  } catch (error) {
    return { value: undefined, damage: isPerigeeError(error) ? error : wrapFileError(error, `read ${what}`) };
  }
}

function findContainer(folder: string, base: string): FoundContainer {
  const definitionPath = join(folder, base + DEFINITION_ENDING);
  const decoded = decodeName(base);
  const { value, damage } = attempt(JSON.stringify(definitionPath), () => {
    const file = readContainerFile(definitionPath, decoded === 'cut' ? undefined : decoded?.id);
    const id = idOf(definitionPath, base, file?.definition.id);
    // A file of documents alone: a container as simple as can be.
    return { id, file: file ?? { definition: defineContainer({ id, partitionKey: '/id' }), store: {} } };
  });
  const id = value?.id ?? (decoded === 'cut' || decoded === undefined ? base : decoded.id);
  return { id, base, damage, file: value?.file, changedTs: changedTsOf(definitionPath, join(folder, base + DOCUMENTS_ENDING)) };
}

/** Marks what has an id that something before it has, too. */
function markTwins<T extends { readonly id: string; readonly damage: PerigeeError | undefined }>(
  list: readonly T[],
  pathOf: (one: T) => string,
): T[] {
  const first = new Map<string, T>();
  return list.map((one) => {
    const twin = first.get(one.id);
    if (twin === undefined) {
      first.set(one.id, one);
      return one;
    }
    return { ...one, damage: one.damage ?? damagedFile(pathOf(one), `it has the id of ${JSON.stringify(pathOf(twin))}`) };
  });
}

function findDatabase(root: string, folder: string): FoundDatabase | undefined {
  const path = join(root, folder);
  const listed = attempt(JSON.stringify(path), () => readdirSync(path));
  const bases = containerBases(listed.value ?? []);
  if (listed.damage === undefined && bases.length === 0 && !listed.value.includes(DATABASE_FILE)) {
    return undefined;
  }
  const filePath = join(path, DATABASE_FILE);
  const { value, damage } = attempt(JSON.stringify(filePath), () => {
    const file = readDatabaseFile(filePath);
    return { id: idOf(filePath, folder, file?.id), store: file?.store ?? {} };
  });
  const decoded = decodeName(folder);
  return {
    id: value?.id ?? (decoded === 'cut' || decoded === undefined ? folder : decoded.id),
    folder,
    damage: listed.damage ?? damage,
    store: value?.store ?? {},
    changedTs: changedTsOf(path),
    containers: markTwins(
      bases.map((base) => findContainer(path, base)),
      ({ base }) => join(path, base + DEFINITION_ENDING),
    ),
  };
}

/**
 * Looks at a folder: each folder in it that holds a container, or a `database.json`, is a database. What cannot be used is found all the same, with
 * its refusal, so that everything else can be.
 *
 * @throws what the file system throws for the folder itself
 */
export function scanFolder(root: string): FoundDatabase[] {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && statSync(join(root, entry.name), { throwIfNoEntry: false })?.isDirectory() === true)
    .map(({ name }) => name)
    .sort();
  return markTwins(
    folders.flatMap((folder) => findDatabase(root, folder) ?? []),
    ({ folder }) => join(root, folder),
  );
}

/** Removes what a killed writer left half-made in a folder of the store. */
export function removeTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (isTemporary(name)) {
      rmSync(join(folder, name), { force: true });
    }
  }
}

/** Numbers from 1 for what has none, or one that is taken: in the order given, behind all that are known. */
export function numberAll<T>(list: readonly T[], numberOf: (one: T) => number | undefined): Map<T, number> {
  const numbers = new Map<T, number>();
  const taken = new Set<number>();
  for (const one of list) {
    const number = numberOf(one);
    if (number !== undefined && !taken.has(number)) {
      taken.add(number);
      numbers.set(one, number);
    }
  }
  let last = Math.max(0, ...taken);
  for (const one of list) {
    if (!numbers.has(one)) {
      last += 1;
      numbers.set(one, last);
    }
  }
  return numbers;
}

/** An etag for what was made by hand: the same until its time changes. */
export function derivedEtag(...parts: readonly string[]): string {
  return `"${derivedId('etag', ...parts)}"`;
}
