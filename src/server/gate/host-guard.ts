import { PerigeeError } from '../../core/errors.ts';

/** What {@link HostGuard} lets in. */
export interface HostGuardOptions {
  /** Address or name that the server listens on. */
  readonly host: string;
  /** Whether that address is reached from this machine only. */
  readonly isLoopback: boolean;
  /** Further names; `*.name` stands for all names below one. */
  readonly allowedHosts: readonly string[];
}

const HOST_HEADER = /^(\[[0-9a-f:.]+\]|[^[\]:/?#@\s]+)(?::\d{0,5})?$/u;
const ALLOWED_HOST = /^(?:\*\.)?[^*[\]:/?#@\s]+$|^\[[0-9a-f:.]+\]$/iu;
/** How much of a name that a stranger chose is repeated to them. */
const SHOWN_LENGTH = 100;

/** A name without brackets, port and the dot that ends a full name, in lower case. `undefined` where the text is no host. */
export function hostName(header: string): string | undefined {
  const name = HOST_HEADER.exec(header.toLowerCase())?.[1];
  if (name === undefined) {
    return undefined;
  }
  const bare = name.startsWith('[') ? name.slice(1, -1) : name;
  return bare.endsWith('.') ? bare.slice(0, -1) : bare;
}

/** Whether a text can stand in the list of further hosts: a name, an address, or `*.name`. */
export function isAllowedHostEntry(text: string): boolean {
  return ALLOWED_HOST.test(text);
}

/** Whether a name or an address is this machine's own: `localhost`, names below it, 127.0.0.0/8, ::1. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/u.test(name);
}

/**
 * Looks whether the `Host` of a request names this server.
 *
 * A page whose name an attacker lets point at 127.0.0.1 (DNS rebinding) sends that name, and everybody knows the well-known key: so a server on
 * loopback answers to loopback names, the host it was told to listen on and the further names it was given, and to nothing else. A server on
 * another address has a key of its own and may be known by any name: it checks only where further names are given.
 */
export class HostGuard {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];
  readonly #checks: boolean;
  /** The last header that was let in; clients send the same one each time. */
  #last: string | undefined;

  constructor({ host, isLoopback, allowedHosts }: HostGuardOptions) {
    const names = allowedHosts.map((name) => name.toLowerCase());
    this.#names = new Set([host.toLowerCase(), ...names.filter((name) => !name.startsWith('*.')).map((name) => hostName(name) ?? name)]);
    this.#suffixes = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
    this.#checks = isLoopback || allowedHosts.length > 0;
  }

  /** @throws FORBIDDEN for a host that is none of this server's */
  check(header: string): void {
    if (!this.#checks || header === this.#last) {
      return;
    }
    const name = hostName(header);
    if (name === undefined || !this.#isAllowed(name)) {
      throw new PerigeeError(
        'FORBIDDEN',
        `The host ${JSON.stringify(header.slice(0, SHOWN_LENGTH))} is none of this server's names. Use localhost or 127.0.0.1, or start the server with the name among its allowed hosts.`,
      );
    }
    this.#last = header;
  }

  #isAllowed(name: string): boolean {
    return isLoopbackName(name) || this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }
}
