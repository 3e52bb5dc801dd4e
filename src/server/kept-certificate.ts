import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import { toHex, type Runtime } from '../core/runtime.ts';
import type { ServerCertificate } from './server-options.ts';
import { isUsable, makeCertificate } from './tls-certificate.ts';

/** Holds private key and certificate together, so that they change together. */
const PRIVATE_FILE = 'emulator-key.pem';
/** Holds the certificate alone, for clients that are to trust it. */
export const CERTIFICATE_FILE = 'emulator.pem';

const BLOCK = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----\n?/gu;

function parse(pem: string): ServerCertificate | undefined {
  const blocks = Array.from(pem.matchAll(BLOCK));
  const block = (wanted: RegExp): string | undefined => blocks.find(([, type]) => wanted.test(type as string))?.[0];
  const cert = block(/^CERTIFICATE$/u);
  const key = block(/PRIVATE KEY$/u);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** What is kept; `undefined` where nothing is, `broken` where it cannot be read as what it should be. */
async function read(path: string): Promise<ServerCertificate | 'broken' | undefined> {
  try {
    return parse(await readFile(path, 'utf8')) ?? 'broken';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Puts a file in its place as a whole. Does not replace one that another process put there since `replaces` was looked at. */
async function place(path: string, content: string, mode: number, replaces: boolean, runtime: Runtime): Promise<boolean> {
  const draft = `${path}.${toHex(runtime.randomBytes(6))}`;
  await writeFile(draft, content, { mode, flag: 'wx' });
  try {
    // The mode of a file that is made is cut by the mask of the process.
    await chmod(draft, mode);
    if (replaces) {
      await rename(draft, path);
      return true;
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * The certificate that is kept in a folder; made where there is none, and made anew before it ends or when it is not for all the names.
 *
 * The folder and its private file can be read by their owner alone. Processes that start at the same time use the same certificate.
 *
 * @throws STORE_READ_ONLY where the folder cannot be written
 */
export async function keptCertificate(folder: string, names: readonly string[], runtime: Runtime): Promise<ServerCertificate> {
  const path = join(folder, PRIVATE_FILE);
  try {
    const kept = await read(path);
    if (typeof kept === 'object' && isUsable(kept, names, runtime)) {
      return kept;
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    let certificate = await makeCertificate(names, runtime);
    if (!(await place(path, certificate.key + certificate.cert, 0o600, kept !== undefined, runtime))) {
      const others = await read(path);
      certificate = typeof others === 'object' ? others : certificate;
    }
    await place(join(folder, CERTIFICATE_FILE), certificate.cert, 0o644, true, runtime);
    return certificate;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new PerigeeError('STORE_READ_ONLY', `Cannot keep a certificate in ${JSON.stringify(folder)}: the system refuses (${reason}).`, {
      cause,
    });
  }
}
