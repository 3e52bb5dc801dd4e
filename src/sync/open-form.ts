import type { ContainerInput } from '../store/container-definition.ts';
import { declaredFields } from './declared-fields.ts';
import { DocumentForm } from './document-form.ts';
import type { FilledOptions } from './filled-options.ts';
import { LocalFields } from './local-fields.ts';

/** The form of a container's documents on the device, as the options and the file say. @throws INVALID_OPTION */
export async function openForm(options: FilledOptions, container: string, given: ContainerInput | undefined): Promise<DocumentForm> {
  const { backend, database, localFields = {}, scope } = options;
  const definition = (await backend.readContainer(database, container))?.definition;
  const needed = [
    ...(definition?.partitionKey.paths ?? []),
    ...(given?.uniqueKeys ?? []).flat(),
    ...scope.flatMap((entry) => (entry.container === container && entry.types !== undefined ? [entry.types.path] : [])),
  ];
  const formOf = (paths: readonly string[]): DocumentForm => {
    const form = new DocumentForm(new LocalFields(paths));
    form.checkShared(container, needed);
    return form;
  };
  const wanted = Object.hasOwn(localFields, container) ? localFields[container] : undefined;
  // What is given must be sound before the file remembers it.
  const form = wanted === undefined ? undefined : formOf(wanted);
  const declared = await backend.database.write(() => declaredFields(database, container, wanted));
  return form ?? formOf(declared);
}
