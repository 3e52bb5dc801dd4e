import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatWithOptions } from 'node:util';
import { afterAll, describe, expect, test, vi } from 'vitest';

/** Where the compiled test files of examples go; git ignores it. */
const FOLDER = resolve('test/docs/.examples');
const ENTRIES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries((JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, { default?: string }> }).exports).flatMap(
    ([name, target]) =>
      target.default === undefined
        ? []
        : [
            [
              name === '.' ? 'perigee' : `perigee/${name.slice(2)}`,
              resolve(target.default.replace('./dist/', 'src/').replace(/\.js$/u, '.ts')),
            ],
          ],
  ),
);

interface Example {
  readonly title: string;
  readonly code: string;
  readonly expected: readonly string[];
}

/** Every ```ts block that promises a result with `// ->`, from docstrings and Markdown. */
function examplesIn(file: string): Example[] {
  const text = readFileSync(file, 'utf8');
  const found: Example[] = [];
  for (const match of text.matchAll(/^([ \t]*\*? ?)```ts\n([\s\S]*?)^[ \t]*\*? ?```/gmu)) {
    const prefix = match[1] as string;
    const code = (match[2] as string)
      .split('\n')
      .map((line) => (prefix.includes('*') ? line.replace(/^[ \t]*\* ?/u, '') : line))
      .join('\n');
    const expected = Array.from(code.matchAll(/\/\/ -> (.*)$/gmu), (arrow) => (arrow[1] as string).trim());
    if (expected.length > 0) {
      const line = text.slice(0, match.index).split('\n').length;
      found.push({ title: `${file}:${line}`, code, expected });
    }
  }
  return found;
}

const sources = (readdirSync('src', { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));
const pages = (readdirSync('docs', { recursive: true }) as string[])
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));
const examples = [...sources, ...pages, 'README.md'].flatMap(examplesIn);

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

describe('every example prints what it promises', () => {
  test('there are examples', () => expect(examples.length).toBeGreaterThan(4));

  test.each(examples.map((example, index) => ({ ...example, index })))('$title', async ({ code, expected, index }) => {
    const file = join(FOLDER, `example-${index}.ts`);
    const runnable = code.replaceAll(
      /from '(perigee(?:\/[a-z]+)?)'/gu,
      (_, name: string) => `from ${JSON.stringify(ENTRIES[name] ?? `unknown entry ${name}`)}`,
    );
    writeFileSync(file, `${runnable}\nexport {};\n`);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(formatWithOptions({ breakLength: Number.POSITIVE_INFINITY, compact: 10 }, ...(values as [unknown])));
    });
    try {
      await import(/* @vite-ignore */ file);
    } finally {
      log.mockRestore();
    }
    expect(printed).toEqual(expected);
  });
});
