import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../../scripts/bundle.mjs';

const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Runners that have packages of their own beside those of the project. */
export const RUNNERS: string = fileURLToPath(new URL('.', import.meta.url));

/** A project that has Perigee among its packages, as a user's has, with the test files of `programs/`. */
export const PROJECT: string = join(RUNNERS, 'built-project');

/** Makes the project out of the sources, as they are published but for declarations. */
export async function buildProject(): Promise<void> {
  removeProject();
  const folder = join(PROJECT, 'node_modules/perigee');
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await bundle(join(folder, 'dist'));
  cpSync(join(RUNNERS, 'programs'), PROJECT, { recursive: true });
}

/** Removes what {@link buildProject} made. */
export function removeProject(): void {
  rmSync(PROJECT, { recursive: true, force: true });
}

/** Writes the test files of a page, each a block of code with the name of its runner behind that of the language, and gives their number. */
export function writePageExamples(page: string, runner: string): number {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = Array.from(text.matchAll(new RegExp(`^\`\`\`js ${runner}\\n([\\s\\S]*?)^\`\`\``, 'gmu')), (match) => match[1] as string);
  for (const [index, code] of blocks.entries()) {
    writeFileSync(join(PROJECT, runner, `page-${index}.test.mjs`), code);
  }
  return blocks.length;
}
