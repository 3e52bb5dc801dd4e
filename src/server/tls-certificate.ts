import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Runtime } from '../core/runtime.ts';
import type { ServerCertificate } from './server-options.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Apple's systems trust no certificate that lives longer than 825 days. */
const LIFE_MS = 800 * DAY_MS;
/** A certificate that is kept is made anew when it has less than this to live. */
const RENEWAL_MS = 30 * DAY_MS;

const isAddress = (name: string): boolean => /^[\d.]+$|:/u.test(name);

/** What a certificate has to be for: this machine's loopback names, and the further names of the server. */
export function certificateNames(host: string, allowedHosts: readonly string[]): readonly string[] {
  const further = [host, ...allowedHosts]
    .map((name) => name.replaceAll(/[[\]]/gu, ''))
    .filter((name) => name !== '0.0.0.0' && name !== '::');
  return Array.from(new Set(['localhost', '127.0.0.1', '::1', ...further]));
}

/**
 * Makes a certificate that is signed with its own key.
 *
 * It is no authority: who trusts it trusts this server and nothing else that its key could sign. Clients that do not trust it report
 * `DEPTH_ZERO_SELF_SIGNED_CERT`, as with the official emulator.
 */
export async function makeCertificate(names: readonly string[], runtime: Runtime): Promise<ServerCertificate> {
  const { generate } = await import('selfsigned');
  const altNames = names.map((name) => (isAddress(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name }));
  const nowMs = runtime.nowMs();
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // Clocks of clients may be behind.
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + LIFE_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { cert: withNewline(cert), key: withNewline(key) };
}

function withNewline(pem: string): string {
  return `${pem.replaceAll('\r\n', '\n').trimEnd()}\n`;
}

/** Whether a certificate belongs to its key, is for all the names, and will live for some time yet. */
export function isUsable({ cert, key }: ServerCertificate, names: readonly string[], runtime: Runtime): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const nowMs = runtime.nowMs();
    return (
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      Date.parse(certificate.validFrom) <= nowMs &&
      Date.parse(certificate.validTo) > nowMs + RENEWAL_MS &&
      names.every((name) => isFor(certificate, name))
    );
  } catch {
    return false;
  }
}

function isFor(certificate: X509Certificate, name: string): boolean {
  // A name with a wildcard is in the certificate as it stands.
  return (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name.replace(/^\*/u, 'any'))) !== undefined;
}
