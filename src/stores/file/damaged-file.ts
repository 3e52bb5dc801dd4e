import { lstatSync, statSync } from 'node:fs';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';

/** One piece of a file that cannot be used. */
export interface Damage {
  readonly line: number;
  readonly why: string;
}

/** What is wrong, in words that follow "it" or a colon. */
export function reasonOf(error: unknown): string {
  return isPerigeeError(error) ? error.message.replace(/\.$/u, '') : 'it cannot be read';
}

/** The refusal of a file with damaged lines; it names them by number. */
export function damagedLines(path: string, damages: readonly Damage[], more: boolean): PerigeeError {
  const lines = damages.map(({ line }) => line);
  const [first] = damages;
  const numbers = lines.length === 1 ? `line ${lines[0]}` : `lines ${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`;
  return new PerigeeError(
    'STORE_CORRUPT',
    `Cannot read ${numbers}${more ? ' and more' : ''} of ${JSON.stringify(path)}: ${first?.why ?? 'unknown'}. Correct it; the file was left as it was.`,
    { details: { path, line: first?.line, lines } },
  );
}

/** The refusal of a file that cannot be used as a whole. */
export function damagedFile(path: string, why: string, cause?: unknown): PerigeeError {
  return new PerigeeError('STORE_CORRUPT', `Cannot use ${JSON.stringify(path)}: ${why}. Correct it; the file was left as it was.`, {
    cause,
    details: { path },
  });
}

/** The refusal to write to a file that another program changed, or removed, while it was open. */
export function changedFile(path: string): PerigeeError {
  return new PerigeeError(
    'STORE_CHANGED',
    `Cannot write to ${JSON.stringify(path)}: another program changed or removed it while it was open. Nothing was overwritten; open the store again.`,
    { details: { path } },
  );
}

/** Refuses to write to a link: what it leads to may lie outside of the folder, and a new file in its place would end the link. @throws STORE_READ_ONLY */
export function assertNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new PerigeeError(
      'STORE_READ_ONLY',
      `Cannot write to ${JSON.stringify(path)}: it is a link. Put what it leads to in its place, or open the folder that it leads to.`,
      { details: { path } },
    );
  }
}

/** Refuses what is there and no file: reading a pipe or a device may never end. */
export function assertPlainFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw damagedFile(path, 'it is not a file');
  }
}
