import { parsePropertyPath } from '../../store/partition-key.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { declaredFields } from './declared-fields.ts';
import type { DocumentForm } from './document-form.ts';
import type { FilledOptions } from '../filled-options.ts';
import { schemaKey } from './form-keys.ts';
import { LocalFields } from './local-fields.ts';
import { readMeta, writeMeta } from '../state/meta.ts';
import type { FormInput } from './open-form.ts';
import { INITIAL_VERSION, SCHEMA_PATH, SchemaVersions, type SchemaOptions } from './schema-versions.ts';
import { SpecialForm } from './special-form.ts';

/** Documents whose migration failed that are named in warnings. */
const MAX_NAMED = 20;

/** The form of a container's documents on the device, as the options and the file say, one of which says something. @throws INVALID_OPTION */
export async function openSpecialForm(options: FilledOptions, { container, given, warn }: FormInput): Promise<DocumentForm> {
  const { backend, database, localFields = {}, schemas = {}, scope } = options;
  const definition = (await backend.readContainer(database, container))?.definition;
  const key = definition?.partitionKey.paths ?? [];
  const types = scope.flatMap((entry) => (entry.container === container && entry.types !== undefined ? [entry.types.path] : []));
  const schema = Object.hasOwn(schemas, container) ? schemas[container] : undefined;
  const needed = [...key, ...types, ...(given?.uniqueKeys ?? []).flat()];
  const onFailed = warningOf(container, warn);
  const formOf = (paths: readonly string[], versions: SchemaOptions | undefined): DocumentForm => {
    const kept = { key: key.map(parsePropertyPath), types };
    const form = new SpecialForm({
      local: new LocalFields(paths),
      schema: versions === undefined ? undefined : new SchemaVersions(versions, kept),
      onFailed,
    });
    form.checkShared(container, needed);
    return form;
  };
  const fields = Object.hasOwn(localFields, container) ? localFields[container] : undefined;
  // What is given must be sound before the file remembers it.
  formOf(fields ?? [], schema);
  const declared = await backend.database.write(() => declaredFields(database, container, fields));
  return formOf(declared, await backend.database.write(() => declaredSchema(database, container, schema)));
}

/**
 * The versions of a container as given. A program that does not know of them is one of the initial version, where the file knows better: what it would write and decide was made for documents of
 * that version.
 */
function* declaredSchema(database: string, container: string, given: SchemaOptions | undefined): Program<SchemaOptions | undefined> {
  const key = schemaKey(database, container);
  const known = yield* readMeta(key);
  if (given === undefined) {
    return known === undefined ? undefined : (JSON.parse(known) as SchemaOptions);
  }
  const { path = SCHEMA_PATH, initialVersion = INITIAL_VERSION } = given;
  const text = JSON.stringify({ version: initialVersion, path, initialVersion });
  if (text !== known) {
    yield* writeMeta(key, text);
  }
  return given;
}

/** Names documents that could not be migrated, the first of them one by one. */
function warningOf(container: string, warn: (warning: string) => void): (id: string) => void {
  const named = new Set<string>();
  return (id) => {
    named.add(named.size < MAX_NAMED ? id : '');
    const which = named.has(id) ? `The document ${JSON.stringify(id)}` : 'Further documents';
    warn(`${which} of the container ${JSON.stringify(container)} could not be migrated: kept as it is.`);
  };
}
