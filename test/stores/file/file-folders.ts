import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openFileBackend, type FileBackend } from '../../../src/stores/file/file-backend.ts';
import type { FileBackendOptions } from '../../../src/stores/file/file-options.ts';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A backend that is closed after the test. */
export async function openFolder(folder: string, options: Partial<FileBackendOptions> = {}): Promise<FileBackend> {
  const backend = await openFileBackend({ folder, ...options });
  onTestFinished(() => backend.close());
  return backend;
}

/** Writes files of a folder, as a person would: names relative to it, and their lines. */
export function writeLines(folder: string, files: Readonly<Record<string, readonly string[] | string>>): void {
  for (const [name, lines] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof lines === 'string' ? lines : lines.map((line) => `${line}\n`).join(''));
  }
}

/** The lines of a file. */
export function linesOf(...path: readonly string[]): string[] {
  const text = readFileSync(join(...path), 'utf8');
  return text === '' ? [] : text.replace(/\n$/u, '').split('\n');
}
