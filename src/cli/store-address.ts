import { PerigeeError } from '../core/errors.ts';

/** A store as the command line names it. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'file'; readonly folder: string }
  | { readonly kind: 'cosmos'; readonly endpoint: string }
  | {
      readonly kind: 'postgres';
      /** With the password, if it was given: not to be shown. */
      readonly connectionString: string;
      readonly schema: string | undefined;
      /** Whether each container has a view for SQL tools. */
      readonly readableViews: boolean;
      /** What is done about indexes that queries lack, as it came. */
      readonly autoIndex: string | undefined;
      /** Where it is, for people; without a secret, and the same for two addresses of one store. */
      readonly place: string;
    }
  | { readonly kind: 'embedded-postgres'; readonly folder: string };

/** Where `perigee serve` keeps its data unless told otherwise. */
export const DEFAULT_STORE = 'sqlite:.perigee/data.sqlite';

/** Where `embedded-postgres` keeps its data unless told otherwise. */
const DEFAULT_EMBEDDED_FOLDER = '.perigee/postgres';

/** What a store on this machine or a PostgreSQL may be, for the help of commands. */
export const DATA_STORE_HELP =
  'sqlite:PATH (or a path that ends in .db or .sqlite), file:FOLDER, postgres://USER@HOST/DATABASE (password from PGPASSWORD), embedded-postgres[:FOLDER]';

/** What a store argument may be, for the help of commands. */
export const STORE_HELP: string = `${DATA_STORE_HELP}, or the https:// address of an account`;

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

/** A password may hold what ends an address, so nothing of one that cannot be read is repeated. */
function parsePostgres(argument: string): StoreAddress {
  const url = URL.canParse(argument) ? new URL(argument) : undefined;
  if (url === undefined || url.hash !== '' || !/^postgres(?:ql)?:\/\//u.test(url.href)) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot open the PostgreSQL: its address is postgres://USER@HOST:PORT/DATABASE, and what is special in a part of it is escaped, such as # as %23. Give the password by PGPASSWORD.',
    );
  }
  const schema = url.searchParams.get('schema') ?? undefined;
  url.searchParams.delete('schema');
  const readableViews = url.searchParams.get('readableViews') === 'true';
  url.searchParams.delete('readableViews');
  const autoIndex = url.searchParams.get('autoIndex') ?? undefined;
  url.searchParams.delete('autoIndex');
  // What an address leaves out, the driver takes from the environment.
  const host = url.hostname || (url.searchParams.get('host') ?? process.env['PGHOST'] ?? 'localhost');
  const port = url.port || (url.searchParams.get('port') ?? process.env['PGPORT'] ?? '5432');
  const place = `postgresql://${host}:${port}${url.pathname}`;
  return {
    kind: 'postgres',
    connectionString: url.href,
    schema,
    readableViews,
    autoIndex,
    place: schema === undefined ? place : `${place}?schema=${schema}`,
  };
}

/**
 * Reads a store argument: `memory` (or `memory:`), `sqlite:PATH`, a path that ends in `.db`, `.sqlite` or `.sqlite3`, `file:FOLDER`, an `http(s)`
 * address of something that speaks the Cosmos DB protocol, `postgres://…` (with `?schema=NAME` for another schema than the usual one,
 * `?readableViews=true` for a view of each container, and `?autoIndex=create` for indexes that follow use), or
 * `embedded-postgres[:FOLDER]`. Nothing is opened, and whether it exists is not looked at.
 *
 * @throws INVALID_OPTION
 */
export function parseStoreAddress(argument: string): StoreAddress {
  if (argument.toLowerCase() === 'embedded-postgres') {
    return { kind: 'embedded-postgres', folder: DEFAULT_EMBEDDED_FOLDER };
  }
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
    case 'embedded-postgres':
      if (rest.includes('\0') || rest.startsWith('//')) {
        throw refuse('an embedded PostgreSQL in this folder');
      }
      return { kind: 'embedded-postgres', folder: rest === '' ? DEFAULT_EMBEDDED_FOLDER : rest };
    case 'postgres':
    case 'postgresql':
      return parsePostgres(argument);
    case 'http':
    case 'https':
      return parseEndpoint(argument);
    default:
      throw refuse(`a store of the kind ${JSON.stringify(scheme)}`);
  }
}
