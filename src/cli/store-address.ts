import { PerigeeError } from '../core/errors.ts';

/** A store as the command line names it. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'file'; readonly folder: string }
  | { readonly kind: 'cosmos'; readonly endpoint: string };

/** Where `perigee serve` keeps its data unless told otherwise. */
export const DEFAULT_STORE = 'sqlite:.perigee/data.sqlite';

/** What a store argument may be, for the help of commands. */
export const STORE_HELP = 'sqlite:PATH (or a path that ends in .db or .sqlite), file:FOLDER, or the https:// address of an account';

/** Two letters or more, so that the drive of a Windows path is none. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/su;

/** An address may hold a secret, such as that of a connection string, so it is never repeated whole. */
function refuse(what: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', `Cannot open ${what}: use memory, ${STORE_HELP}.`);
}

function parseEndpoint(argument: string): StoreAddress {
  const url = URL.canParse(argument) ? new URL(argument) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot open the account: its address is only https://, a name and a port. Give the key by an option or the environment.',
    );
  }
  return { kind: 'cosmos', endpoint: argument };
}

/**
 * Reads a store argument: `memory` (or `memory:`), `sqlite:PATH`, a path that ends in `.db`, `.sqlite` or `.sqlite3`, `file:FOLDER`, or an `http(s)`
 * address of something that speaks the Cosmos DB protocol. Nothing is opened, and whether it exists is not looked at.
 *
 * @throws INVALID_OPTION
 */
export function parseStoreAddress(argument: string): StoreAddress {
  if (argument === 'memory' || argument === 'memory:') {
    return { kind: 'memory' };
  }
  const [, scheme, rest = ''] = SCHEME.exec(argument) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      if (/\.(?:db|sqlite3?)$/iu.test(argument)) {
        return { kind: 'sqlite', path: argument };
      }
      throw refuse('a store without a kind');
    case 'sqlite':
    case 'file':
      if (rest === '' || rest.includes('\0') || /^\/\/[^/]/u.test(rest)) {
        throw refuse(`a store of the kind "${scheme}" at this path`);
      }
      return scheme?.toLowerCase() === 'file' ? { kind: 'file', folder: rest } : { kind: 'sqlite', path: rest };
    case 'http':
    case 'https':
      return parseEndpoint(argument);
    default:
      throw refuse(`a store of the kind ${JSON.stringify(scheme)}`);
  }
}
