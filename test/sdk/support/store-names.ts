/** A store that the tests run on. */
export type StoreName = 'memory' | 'sqlite' | 'postgres';

/** Every store that the tests know. */
export const STORE_NAMES: readonly StoreName[] = ['memory', 'sqlite', 'postgres'];

/** The stores to test: those that `STORES` names, separated by commas, or all. @throws for an unknown name, and for none */
export function chosenStores(names: string | undefined = process.env['STORES']): readonly StoreName[] {
  if (names === undefined) {
    return STORE_NAMES;
  }
  const chosen = names.split(',').map((name) => name.trim());
  const unknown = chosen.filter((name) => !(STORE_NAMES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new Error(`STORES names ${JSON.stringify(unknown.join(', '))}. Stores: ${STORE_NAMES.join(', ')}.`);
  }
  return chosen as StoreName[];
}
