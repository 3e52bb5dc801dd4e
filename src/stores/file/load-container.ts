import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Runtime } from '../../core/runtime.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import { documentKey } from '../common/document-key.ts';
import { type ResidentContainer, type ResidentContent, type ResidentRow } from '../common/resident-container.ts';
import { buildRow } from '../common/resident-writes.ts';
import type { ContainerState, KnownContent } from './container-state.ts';
import { damagedLines, reasonOf, type Damage } from './damaged-file.ts';
import { lineEtag, parseLine, type LineEntry } from './document-lines.ts';

const CHUNK_BYTES = 256 * 1024;
const MAX_DAMAGES = 10;
/** Lines that are placed before others get a turn. */
const TURN_LINES = 500;

/** A line that a person wrote, which is written back as it is while nothing changes its document. */
export interface PlainLine {
  readonly row: ResidentRow;
  readonly text: string;
}

/** What the file of a container holds. */
export interface LoadedContainer {
  readonly content: ResidentContent;
  /** By the key of the row. */
  readonly plain: ReadonlyMap<string, PlainLine>;
  /** The whole file as it was read. */
  readonly known: KnownContent;
  /** The last line has no end, as a person may leave it. */
  readonly isOpenEnded: boolean;
  /** Lines that later ones have overtaken: what a killed writer left. */
  readonly needsFold: boolean;
}

/** Settings of {@link loadContainer}. */
export interface LoadSettings {
  readonly path: string;
  readonly state: ContainerState;
  /** Time of the file's last change, in seconds. */
  readonly changedTs: number;
  /** A last line that is not whole is one that another program is writing, and not there yet. */
  readonly mayBeWritten: boolean;
  readonly runtime: Runtime;
}

interface ReadEntry {
  readonly line: number;
  /** Where the line ends, in bytes, without its end mark. */
  readonly end: number;
  /** The line itself, where it is one document. */
  readonly text: string | undefined;
  readonly entry: LineEntry;
}

interface ReadFile {
  readonly entries: readonly ReadEntry[];
  readonly sha256: string;
  readonly bytes: number;
  readonly isOpenEnded: boolean;
  /** The longest content at the start of the file that is known. */
  readonly known: KnownContent | undefined;
}

/** A digest of what has been read that also tells whether a known content has just gone by. */
class KnownPrefix {
  readonly #hash: Hash = createHash('sha256');
  readonly #candidates: KnownContent[];
  #bytes = 0;
  #found: KnownContent | undefined;

  constructor(candidates: readonly KnownContent[]) {
    this.#candidates = candidates.toSorted((left, right) => left.bytes - right.bytes);
    this.#check();
  }

  update(chunk: Uint8Array): void {
    let rest = chunk;
    for (let next = this.#candidates[0]; next !== undefined && next.bytes <= this.#bytes + rest.length; next = this.#candidates[0]) {
      const size = next.bytes - this.#bytes;
      this.#hash.update(rest.subarray(0, size));
      this.#bytes += size;
      rest = rest.subarray(size);
      this.#check();
    }
    this.#hash.update(rest);
    this.#bytes += rest.length;
  }

  end(): { readonly sha256: string; readonly bytes: number; readonly known: KnownContent | undefined } {
    return { sha256: this.#hash.digest('hex'), bytes: this.#bytes, known: this.#found };
  }

  #check(): void {
    while (this.#candidates[0]?.bytes === this.#bytes) {
      const candidate = this.#candidates.shift() as KnownContent;
      this.#found = this.#hash.copy().digest('hex') === candidate.sha256 ? candidate : this.#found;
    }
  }
}

async function readEntries(handle: FileHandle, container: ResidentContainer, settings: LoadSettings): Promise<ReadFile> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const context = { incarnation: container.incarnation, paths: container.info.definition.partitionKey.paths.map(parsePropertyPath) };
  const prefix = new KnownPrefix(settings.state.known);
  const entries: ReadEntry[] = [];
  const damages: Damage[] = [];
  let pieces: Buffer[] = [];
  let line = 0;
  let offset = 0;
  const takeLine = (isLast: boolean): void => {
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    pieces = [];
    line += 1;
    const end = offset + bytes.length;
    offset = end + 1;
    try {
      const text = decoder.decode(bytes);
      if (text.trim() !== '') {
        const parsed = parseLine(text, context);
        const single = parsed.length === 1 && !/^\s*\[/u.test(text) ? text.replace(/\r$/u, '') : undefined;
        entries.push(...parsed.map((entry) => ({ line, end, text: single, entry })));
      }
    } catch (error) {
      if (!isLast || !settings.mayBeWritten) {
        damages.push({ line, why: error instanceof TypeError ? 'it is not UTF-8' : reasonOf(error) });
      }
    }
  };
  for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES, start: 0 }) as AsyncIterable<Buffer>) {
    prefix.update(chunk);
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0 && damages.length < MAX_DAMAGES; at = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, at));
      takeLine(false);
      start = at + 1;
    }
    if (start < chunk.length) {
      pieces.push(chunk.subarray(start));
    }
  }
  const isOpenEnded = pieces.length > 0;
  if (isOpenEnded && damages.length < MAX_DAMAGES) {
    takeLine(true);
  }
  if (damages.length > 0) {
    throw damagedLines(settings.path, damages, damages.length === MAX_DAMAGES);
  }
  return { entries, isOpenEnded, ...prefix.end() };
}

/** A row, where it came from, and whether the store had written it. */
interface Placed {
  readonly row: ResidentRow;
  readonly line: number;
  readonly isOwn: boolean;
  readonly plainText: string | undefined;
}

/**
 * Gives every document its version, in the order of the lines.
 *
 * A line without one has the ordinal behind that of the line before it, and a position that follows from the ordinal. What is known of a content makes
 * the same of it again, whatever was appended since: only what stands in the known content counts for that.
 */
class Placement {
  readonly #container: ResidentContainer;
  readonly #settings: LoadSettings;
  /** Documents of lines with a version, by ordinal. */
  readonly #owners = new Map<number, string>();
  readonly #damages: Damage[] = [];
  readonly placed = new Map<string, Placed>();
  readonly plainBase: number;
  readonly plainTs: number;
  readonly plainEnd: number;
  needsFold = false;
  ordinal: number;
  position: number;
  #lastOrdinal = 0;
  #endOrdinal: number;

  constructor(container: ResidentContainer, settings: LoadSettings, { entries, known }: ReadFile) {
    this.#container = container;
    this.#settings = settings;
    this.position = settings.state.position;
    this.ordinal = settings.state.ordinal;
    // Behind a content that is known there may be what this store appended, and nothing else.
    const isKnown = known !== undefined && entries.every(({ end, entry }) => end <= known.bytes || isWritten(entry));
    for (const { end, entry } of entries) {
      const position = entry.kind === 'delete' ? entry.position : entry.version?.position;
      this.position = Math.max(this.position, position ?? 0);
      if (entry.kind === 'document' && entry.version !== undefined) {
        this.ordinal = Math.max(this.ordinal, entry.version.ordinal);
        if (!isKnown || end <= known.bytes) {
          this.#owners.set(entry.version.ordinal, documentKey(entry.document));
        }
      }
    }
    this.plainBase = isKnown ? known.plainBase : this.position;
    this.plainTs = isKnown ? known.plainTs : settings.changedTs;
    this.plainEnd = isKnown ? known.plainEnd : this.ordinal;
    this.#endOrdinal = this.plainEnd;
  }

  place({ line, text, entry }: ReadEntry): void {
    this.needsFold ||= text === undefined || entry.kind === 'delete';
    if (entry.kind === 'delete') {
      this.placed.delete(documentKey(entry));
      return;
    }
    const { document, version } = entry;
    const key = documentKey(document);
    const before = this.placed.get(key);
    const ordinal = version?.ordinal ?? this.#ordinalOf(key, entry.ordinal);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, ordinal);
    this.ordinal = Math.max(this.ordinal, ordinal);
    if (before !== undefined && (version === undefined || !this.#mayOvertake(before, ordinal))) {
      this.#damage(line, `it has the id and partition key of line ${before.line}`);
      return;
    }
    this.needsFold ||= before !== undefined;
    if (before !== undefined && version !== undefined && before.isOwn && before.row.position > version.position) {
      return;
    }
    const row = buildRow(this.#container, document, version ?? this.#versionOf(entry, ordinal));
    this.position = Math.max(this.position, row.position);
    this.placed.set(row.key, { row, line, isOwn: version !== undefined, plainText: entry.ordinal === undefined ? text : undefined });
  }

  /** @throws STORE_CORRUPT for documents of one key, or of one unique key */
  finish(): void {
    const owners = new Map<string, Placed>();
    for (const one of this.placed.values()) {
      for (const text of this.#container.isExpired(one.row, this.#container.nowSeconds()) ? [] : one.row.uniqueTexts) {
        const owner = owners.get(text);
        if (owner !== undefined) {
          this.#damage(one.line, `it has the unique key of line ${owner.line}`);
        }
        owners.set(text, one);
      }
    }
    if (this.#damages.length > 0) {
      throw damagedLines(this.#settings.path, this.#damages, this.#damages.length === MAX_DAMAGES);
    }
  }

  #damage(line: number, why: string): void {
    if (this.#damages.length < MAX_DAMAGES) {
      this.#damages.push({ line, why });
    }
  }

  /** The ordinal of a line without a version: that of its place, unless the document of another line has it. */
  #ordinalOf(key: string, wanted: number | undefined): number {
    const next = this.#lastOrdinal + 1;
    const ordinal = wanted !== undefined && wanted >= next ? wanted : next;
    if ((this.#owners.get(ordinal) ?? key) === key) {
      return ordinal;
    }
    this.#endOrdinal = Math.max(this.#endOrdinal, this.#lastOrdinal) + 1;
    return this.#endOrdinal;
  }

  /** Whether a line written by the store may follow one of the same document: a later version, or one made when the earlier had expired. */
  #mayOvertake(before: Placed, ordinal: number): boolean {
    return before.isOwn || before.row.ordinal === ordinal || this.#container.info.definition.defaultTtl !== undefined;
  }

  #versionOf(entry: Extract<LineEntry, { kind: 'document' }>, ordinal: number): Parameters<typeof buildRow>[2] {
    const position = this.plainBase + ordinal;
    const ts = entry.ts ?? this.plainTs;
    return { ordinal, position, ts, etag: lineEtag(this.#container.incarnation, { ordinal, position, ts, body: entry.document.text }) };
  }
}

function isWritten(entry: LineEntry): boolean {
  return entry.kind === 'delete' ? entry.position !== undefined : entry.version !== undefined;
}

/**
 * Reads the file of a container line by line, with turns for others in between.
 *
 * @throws STORE_CORRUPT with the numbers of the lines that are no documents, or documents twice
 */
export async function loadContainer(handle: FileHandle, container: ResidentContainer, settings: LoadSettings): Promise<LoadedContainer> {
  const file = await readEntries(handle, container, settings);
  const placement = new Placement(container, settings, file);
  for (const [index, entry] of file.entries.entries()) {
    placement.place(entry);
    if (index % TURN_LINES === TURN_LINES - 1) {
      await settings.runtime.yieldTask();
    }
  }
  placement.finish();
  const plain = new Map<string, PlainLine>();
  const rows: ResidentRow[] = [];
  for (const { row, isOwn, plainText } of placement.placed.values()) {
    rows.push(row);
    if (!isOwn && plainText !== undefined) {
      plain.set(row.key, { row, text: plainText });
    }
  }
  const { plainBase, plainTs, plainEnd, ordinal, position, needsFold } = placement;
  const known = { sha256: file.sha256, bytes: file.bytes, plainBase, plainTs, plainEnd };
  return { content: { rows, ordinal, position }, plain, known, isOpenEnded: file.isOpenEnded, needsFold };
}
