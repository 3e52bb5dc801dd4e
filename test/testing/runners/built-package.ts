import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Runners that have packages of their own beside those of the project. */
export const RUNNERS: string = fileURLToPath(new URL('.', import.meta.url));

/** A project that has Perigee among its packages, as a user's has, with the test files of `programs/`. */
export const PROJECT: string = join(RUNNERS, 'built-project');

/** Makes the project out of the sources. Types are checked elsewhere; without them it takes a second instead of ten. */
export function buildProject(): void {
  removeProject();
  const folder = join(PROJECT, 'node_modules/perigee');
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]) {
    if (name.endsWith('.ts')) {
      const { outputText } = ts.transpileModule(readFileSync(join(ROOT, 'src', name), 'utf8'), { compilerOptions, fileName: name });
      const path = join(folder, 'dist', name.replace(/\.ts$/u, '.js'));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, outputText);
    }
  }
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
