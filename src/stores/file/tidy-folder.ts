import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../core/runtime.ts';
import { assertNoLink } from './damaged-file.ts';
import type { OpenFolder } from './folder-database.ts';
import { containerBases, DOCUMENTS_ENDING, removeTemporaries, scanFolder } from './folder-scan.ts';
import { setTornLineAside } from './torn-lines.ts';

/** Makes the private folder; it keeps itself out of version control, since what is in it belongs to one copy of the files. */
export function makePrivateFolder(folder: string): void {
  assertNoLink(folder);
  if (!existsSync(folder)) {
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, '.gitignore'), '*\n');
  }
}

/** Removes what a killed writer left half-made, and sets the lines aside that it had begun. */
export function tidyFolder({ root, privateFolder, settings }: OpenFolder, wasKilled: boolean): void {
  for (const name of readdirSync(privateFolder)) {
    if (name.startsWith('trash-')) {
      rmSync(join(privateFolder, name), { recursive: true, force: true });
    }
  }
  for (const folder of [...scanFolder(root).map((database) => join(root, database.folder)), privateFolder]) {
    removeTemporaries(folder);
    for (const base of wasKilled ? containerBases(readdirSync(folder)) : []) {
      const path = join(folder, base + DOCUMENTS_ENDING);
      const name = `${toHex(settings.runtime.randomBytes(8))}.txt`;
      const kept =
        statSync(path, { throwIfNoEntry: false })?.isFile() === true
          ? setTornLineAside(path, join(privateFolder, 'torn'), name)
          : undefined;
      if (kept !== undefined) {
        settings.logger.log('warn', 'A line that a killed program had begun was set aside; it was never acknowledged.', { path, kept });
      }
    }
  }
}
