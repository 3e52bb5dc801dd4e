import type { JsonObject } from '../../src/core/json.ts';
import type { SchemaOptions } from '../../src/sync/index.ts';
import type { DeviceOptions, Note } from './world.ts';

/** Ids of the documents that version 2 was made of, in that order; tests empty it. */
export const migratedIds: string[] = [];

export const note = (more: object = {}, id = '1'): JsonObject & Note => ({ id, owner: 'ada', ...more });

/** 2: `name` is called `title`; 3: titles have words. */
export const V2: SchemaOptions = {
  version: 2,
  migrate: {
    2: ({ name, ...rest }) => {
      migratedIds.push(rest['id'] as string);
      return { ...rest, title: name ?? '' };
    },
  },
};
export const V3: SchemaOptions = {
  version: 3,
  migrate: { ...V2.migrate, 3: ({ title, ...rest }) => ({ ...rest, words: (title as string).split(' ') }) },
};
export const at3 = (more: object = {}, id = '1'): JsonObject & Note => note({ schemaVersion: 3, ...more }, id);

export const versions = (schema: SchemaOptions): DeviceOptions => ({ schemas: { notes: schema } });
