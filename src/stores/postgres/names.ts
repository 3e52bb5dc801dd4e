/** A name as SQL writes it, proof against whatever stands in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names of the objects of one container, quoted: generated, never taken from users' names. */
export interface ContainerNames {
  readonly documents: string;
  readonly versions: string;
  /** The sequence of positions. */
  readonly positions: string;
  /** Where an index of the container lies; `suffix` says which. */
  readonly schema: string;
}

/** The schema of a database, quoted. */
export function databaseSchema(prefix: string, database: number): string {
  return quoteName(`${prefix}_${database}`);
}

export function containerNames(prefix: string, database: number, container: number): ContainerNames {
  return containerNamesIn(databaseSchema(prefix, database), container);
}

/** @param schema quoted */
export function containerNamesIn(schema: string, container: number): ContainerNames {
  return {
    schema,
    documents: `${schema}.c${container}`,
    versions: `${schema}.v${container}`,
    positions: `${schema}.c${container}_positions`,
  };
}
