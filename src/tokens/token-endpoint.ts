import { PerigeeError } from '../core/errors.ts';

const LOOPBACK = /^(?:localhost|(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u;

/** Whether a host, as a URL writes it, is this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Checks an address to which secrets are sent, or from which keys come. @throws INVALID_OPTION */
export function checkEndpoint(name: string, value: string | URL): string {
  const text = String(value);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (url === undefined || !isSafe || url.username !== '' || url.password !== '') {
    throw new PerigeeError(
      'INVALID_OPTION',
      `${name} is an https URL without a user, or an http URL of this machine: what is sent there must not be read on the way.`,
    );
  }
  return url.href;
}
