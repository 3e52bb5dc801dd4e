/** Where the file remembers the local fields of a container. */
export function fieldsKey(database: string, container: string): string {
  return `local-fields ${JSON.stringify([database, container])}`;
}

/** Where the file remembers that the documents of a container have versions. */
export function schemaKey(database: string, container: string): string {
  return `schema-path ${JSON.stringify([database, container])}`;
}
