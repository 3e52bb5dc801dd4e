import type { Client, ClientConfig, Pool, PoolConfig } from 'pg';
import { PerigeeError } from '../../core/errors.ts';

/** What of the package `pg` Perigee uses. */
export interface PgModule {
  readonly Pool: new (config: PoolConfig) => Pool;
  readonly Client: new (config: ClientConfig) => Client;
  /** The class of its queries. */
  readonly Query: object;
}

/** Object ids of PostgreSQL's types whose values are read otherwise than by `pg`. */
const INT8 = 20;
const JSON_TYPES = [114, 3802];

/** Reads a column: whole numbers as numbers (none that Perigee stores is beyond 2^53), JSON as its text. */
export const COLUMN_TYPES: NonNullable<ClientConfig['types']> = {
  getTypeParser: ((oid: number, format?: string) => {
    if (format === 'binary') {
      return (value: unknown) => value;
    }
    if (oid === INT8 || oid === 23 || oid === 21 || oid === 700 || oid === 701) {
      return Number;
    }
    return oid === 16 ? (value: string) => value === 't' : JSON_TYPES.includes(oid) ? (value: string) => value : arrayOrText(oid);
  }) as NonNullable<ClientConfig['types']>['getTypeParser'],
};

const INT8_ARRAY = 1016;

function arrayOrText(oid: number): (value: string) => unknown {
  return oid === INT8_ARRAY ? numbersOf : (value) => value;
}

/** `{1,2}` as numbers. */
function numbersOf(text: string): number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number);
}

/** Loads the package `pg`. @throws DRIVER_MISSING */
export async function loadPg(): Promise<PgModule> {
  let loaded: { readonly default?: PgModule } & Partial<PgModule>;
  try {
    loaded = (await import('pg')) as unknown as typeof loaded;
  } catch (cause) {
    throw new PerigeeError('DRIVER_MISSING', 'Cannot import "pg", the driver of PostgreSQL. Install it: npm install pg', { cause });
  }
  return (loaded.default ?? loaded) as PgModule;
}
