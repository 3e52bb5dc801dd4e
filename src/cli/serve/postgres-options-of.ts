import { PerigeeError } from '../../core/errors.ts';
import type { PostgresBackendOptions } from '../../stores/postgres/postgres-options.ts';
import { parseStoreAddress } from '../store-address.ts';
import { parseCount, type ServeOptions } from './server-options-of.ts';

/** Translates what the command line says of a PostgreSQL into options of its backend, which checks them. @throws INVALID_OPTION for another store */
export function postgresOptionsOf({ store, signals, replica = [], maxReplicaLag }: ServeOptions): Partial<PostgresBackendOptions> {
  const flags = [
    ['--signals', signals],
    ['--replica', replica[0]],
    ['--max-replica-lag', maxReplicaLag],
  ];
  const flag = flags.find(([, value]) => value !== undefined)?.[0];
  if (flag !== undefined && parseStoreAddress(store).kind !== 'postgres') {
    throw new PerigeeError('INVALID_OPTION', `Cannot serve with ${flag}: it is for a store postgres://….`);
  }
  return {
    signals: signals === 'off' ? false : signals,
    replicas: replica,
    maxReplicaLagMs: parseCount('--max-replica-lag', maxReplicaLag),
  };
}
