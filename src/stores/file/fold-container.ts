import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Runtime } from '../../core/runtime.ts';
import type { ResidentContainer, ResidentRow } from '../common/resident-container.ts';
import type { KnownContent } from './container-state.ts';
import { documentLine } from './document-lines.ts';
import type { PlainLine } from './load-container.ts';
import { modeOf, syncFolder, temporaryPath } from './replace-file.ts';

const CHUNK_CHARACTERS = 256 * 1024;

/** Settings of {@link foldContainer}. */
export interface FoldSettings {
  /** Nobody writes to it meanwhile. */
  readonly container: ResidentContainer;
  readonly path: string;
  readonly plain: ReadonlyMap<string, PlainLine>;
  readonly known: KnownContent;
  readonly runtime: Runtime;
  /** Called with the new content when it is on the disk and not yet in its place; what it throws leaves the file as it is. */
  readonly beforeReplace: (next: KnownContent) => void;
}

/** Rows as lines in the order of creation. A line that a person wrote stays as it is where it would be read again as the same version. */
function lineWriter({ plain, known }: FoldSettings): (row: ResidentRow) => string {
  let lastOrdinal = 0;
  return (row) => {
    const line = plain.get(row.key);
    const staysPlain = line?.row === row && row.ordinal === lastOrdinal + 1 && row.position === known.plainBase + row.ordinal;
    lastOrdinal = row.ordinal;
    return staysPlain ? `${line.text}\n` : `${documentLine(row)}\n`;
  };
}

/**
 * Writes the living documents of a container to a new file, one line each, and puts it in the place of the old one: whoever opens the path, also
 * behind a kill or a loss of power, finds one of the two.
 */
export async function foldContainer(settings: FoldSettings): Promise<KnownContent> {
  const { container, path, known, runtime } = settings;
  const temporary = temporaryPath(path, runtime);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const mode = modeOf(path);
    const handle = await open(temporary, 'wx');
    try {
      if (mode !== undefined) {
        await handle.chmod(mode);
      }
      const lineOf = lineWriter(settings);
      const nowSeconds = container.nowSeconds();
      let chunk = '';
      const writeChunk = async (): Promise<void> => {
        const buffer = Buffer.from(chunk);
        chunk = '';
        bytes += buffer.length;
        hash.update(buffer);
        await handle.writeFile(buffer);
      };
      for (const row of container.rows.inOrder()) {
        if (!container.isExpired(row, nowSeconds)) {
          chunk += lineOf(row);
        }
        if (chunk.length > CHUNK_CHARACTERS) {
          await writeChunk();
        }
      }
      await writeChunk();
      await handle.sync();
    } finally {
      await handle.close();
    }
    const next = { ...known, sha256: hash.digest('hex'), bytes };
    settings.beforeReplace(next);
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return next;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
