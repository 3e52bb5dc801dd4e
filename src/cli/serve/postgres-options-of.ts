import { PerigeeError } from '../../core/errors.ts';
import type { PostgresBackendOptions } from '../../stores/postgres/postgres-options.ts';
import { parseStoreAddress } from '../store-address.ts';
import type { ServeOptions } from './server-options-of.ts';

/** Translates what the command line says of a PostgreSQL into options of its backend, which checks them. @throws INVALID_OPTION for another store */
export function postgresOptionsOf({ store, signals }: ServeOptions): Partial<PostgresBackendOptions> {
  if (signals === undefined) {
    return {};
  }
  if (parseStoreAddress(store).kind !== 'postgres') {
    throw new PerigeeError('INVALID_OPTION', 'Cannot serve with --signals: it is for a store postgres://….');
  }
  return { signals: signals === 'off' ? false : signals };
}
