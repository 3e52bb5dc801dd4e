import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkChaosRules } from '../../../src/server/chaos/check-chaos-rules.ts';
import { operationNames } from '../../../src/server/operations.ts';
import { ROUTES } from '../../../src/server/routes.ts';

const page = readFileSync('docs/chaos.md', 'utf8');

function section(title: string): string {
  const begin = page.indexOf(`## ${title}\n`);
  const end = page.indexOf('\n## ', begin + 1);
  return page.slice(begin, end === -1 ? undefined : end);
}

test('the page names all operations, and no others', () => {
  const told = Array.from(section('Operations').matchAll(/`([a-z-]+)`/gu), ([, name]) => name as string);
  expect(told.toSorted()).toEqual(operationNames(ROUTES));
});

test('all rules on the page can be used, and every effect and condition is told', () => {
  const files = Array.from(page.matchAll(/```json\n([\s\S]*?)```/gu), ([, text]) => JSON.parse(text as string) as unknown);
  expect(files).toHaveLength(1);
  files.forEach((rules) => checkChaosRules(rules));
  const effects = Array.from(
    section('Effects').matchAll(/^\| `(\{.*?\})` /gmu),
    ([, text]) => JSON.parse(text as string) as { kind: string },
  );
  checkChaosRules({ rules: effects.map((effect) => ({ effect })) });
  const unknown = (value: unknown): string => {
    try {
      checkChaosRules(value);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  const kinds = /one of (.*)\.$/u.exec(unknown({ rules: [{ effect: {} }] }))?.[1]?.split(', ');
  expect(Array.from(new Set(effects.map(({ kind }) => kind))).toSorted()).toEqual(kinds?.toSorted());
  const members = /it takes (.*)\.$/u.exec(unknown({ rules: [{ x: 1 }] }))?.[1]?.split(', ');
  const told = Array.from(section('Rules').matchAll(/^\| (`.*?) \|/gmu)).flatMap(([, names]) =>
    Array.from((names as string).matchAll(/`(\w+)`/gu), ([, name]) => name as string),
  );
  expect(told.toSorted()).toEqual(members?.toSorted());
});
