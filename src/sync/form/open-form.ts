import type { ContainerInput } from '../../store/container-definition.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { PLAIN_FORM, type DocumentForm } from './document-form.ts';
import type { FilledOptions } from '../filled-options.ts';
import { fieldsKey, schemaKey } from './form-keys.ts';
import { LATE } from '../late-parts.ts';
import { loadPart } from '../load-part.ts';
import { readMeta } from '../state/meta.ts';

/** What a form needs beside the options of the engine. */
export interface FormInput {
  readonly container: string;
  readonly given: ContainerInput | undefined;
  readonly warn: (warning: string) => void;
}

/** The form of a container's documents on the device, as the options and the file say. @throws INVALID_OPTION; UNREACHABLE */
export async function openForm(options: FilledOptions, input: FormInput): Promise<DocumentForm> {
  const { backend, database, localFields = {}, schemas = {} } = options;
  const { container } = input;
  const isGiven = Object.hasOwn(localFields, container) || Object.hasOwn(schemas, container);
  if (!isGiven && !(await backend.database.read(() => isRemembered(database, container)))) {
    return PLAIN_FORM;
  }
  const { openSpecialForm } = await loadPart(LATE.form);
  return openSpecialForm(options, input);
}

function* isRemembered(database: string, container: string): Program<boolean> {
  return (yield* readMeta(fieldsKey(database, container))) !== undefined || (yield* readMeta(schemaKey(database, container))) !== undefined;
}
