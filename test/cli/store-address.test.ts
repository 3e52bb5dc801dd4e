import { describe, expect, test } from 'vitest';
import { parseStoreAddress } from '../../src/cli/store-address.ts';
import { isPerigeeError } from '../../src/core/errors.ts';

describe('a store argument', () => {
  test.each([
    ['memory', { kind: 'memory' }],
    ['memory:', { kind: 'memory' }],
    ['sqlite:data.bin', { kind: 'sqlite', path: 'data.bin' }],
    ['SQLite:/var/data/a b.sqlite', { kind: 'sqlite', path: '/var/data/a b.sqlite' }],
    ['shop.db', { kind: 'sqlite', path: 'shop.db' }],
    ['./x/Shop.SQLITE', { kind: 'sqlite', path: './x/Shop.SQLITE' }],
    ['C:\\data\\shop.sqlite3', { kind: 'sqlite', path: 'C:\\data\\shop.sqlite3' }],
    ['file:fixtures', { kind: 'file', folder: 'fixtures' }],
    ['file:///srv/fixtures', { kind: 'file', folder: '///srv/fixtures' }],
    ['file:C:\\fixtures', { kind: 'file', folder: 'C:\\fixtures' }],
    ['https://account.documents.azure.com:443/', { kind: 'cosmos', endpoint: 'https://account.documents.azure.com:443/' }],
    [
      'postgres://ada:pass%23word@db.example:6543/shop',
      {
        kind: 'postgres',
        connectionString: 'postgres://ada:pass%23word@db.example:6543/shop',
        schema: undefined,
        readableViews: false,
        place: 'postgresql://db.example:6543/shop',
      },
    ],
    [
      'PostgreSQL://ada@db.example/shop?sslmode=require&schema=tests',
      {
        kind: 'postgres',
        connectionString: 'postgresql://ada@db.example/shop?sslmode=require',
        schema: 'tests',
        readableViews: false,
        place: 'postgresql://db.example:5432/shop?schema=tests',
      },
    ],
    [
      'postgres:///shop?host=/run/postgresql&password=hidden',
      {
        kind: 'postgres',
        connectionString: 'postgres:///shop?host=%2Frun%2Fpostgresql&password=hidden',
        schema: undefined,
        readableViews: false,
        place: 'postgresql:///run/postgresql:5432/shop',
      },
    ],
    [
      'postgres://db/shop?autoIndex=create&readableViews=true',
      {
        kind: 'postgres',
        connectionString: 'postgres://db/shop',
        schema: undefined,
        readableViews: true,
        autoIndex: 'create',
        place: 'postgresql://db:5432/shop',
      },
    ],
    ['embedded-postgres', { kind: 'embedded-postgres', folder: '.perigee/postgres' }],
    ['embedded-postgres:', { kind: 'embedded-postgres', folder: '.perigee/postgres' }],
    ['Embedded-Postgres:/var/data/pg', { kind: 'embedded-postgres', folder: '/var/data/pg' }],
    ['http://127.0.0.1:8081', { kind: 'cosmos', endpoint: 'http://127.0.0.1:8081' }],
  ])('%s', (argument, address) => {
    expect(parseStoreAddress(argument)).toEqual(address);
  });

  test.each([
    '',
    'shop',
    'sqlite:',
    'file:',
    'file://host/share',
    'file:a\0b',
    'postgres:secret',
    'postgres:/secret/shop',
    'postgres://ada:secret#1@host/db',
    'postgres://ada:secret@host/db#1',
    'postgres://ada:sec ret@host:port/db?secret',
    'embedded-postgres://ada:secret@host/db',
    'embedded-postgres:a\0b',
    'mysql://ada:secret@host/db',
    'https://ada:secret@account.documents.azure.com/',
    'https://account.documents.azure.com/?key=secret',
    'https://',
    'AccountEndpoint=https://account.documents.azure.com/;AccountKey=secret;',
  ])('%j is refused, and what may be a secret is not repeated', (argument) => {
    let raised: unknown;
    try {
      parseStoreAddress(argument);
    } catch (error) {
      raised = error;
    }
    expect(isPerigeeError(raised, 'INVALID_OPTION')).toBe(true);
    expect(String(raised)).not.toContain('secret');
  });
});
