import type { Runtime } from '../core/runtime.ts';
import type { ServerCertificate } from './server-options.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFE_DAYS = 365;

/** Makes a self-signed certificate for this machine's loopback names, and for the host that the server listens on. */
export async function selfSignedCertificate(host: string, runtime: Runtime): Promise<ServerCertificate> {
  const { generate } = await import('selfsigned');
  const names = new Set(['localhost', '127.0.0.1', '::1', host]);
  const altNames = Array.from(names, (name) =>
    /^[\d.]+$|:/u.test(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
  );
  const nowMs = runtime.nowMs();
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + LIFE_DAYS * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { cert, key };
}
