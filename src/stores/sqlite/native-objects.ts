/**
 * Whether this Node aborts the process when an object of an addon that was compiled against its headers is collected as garbage: 24.19 and later
 * of 24 do, in the destructor of `node::ObjectWrap`, which better-sqlite3 12 builds on. An addon compiled against older headers is not touched, but
 * that cannot be seen from here.
 *
 * @see https://github.com/nodejs/node/issues/65446
 */
function collectsUnsafely(version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return major === 24 && minor >= 19;
}

const RETAINED: object[] | undefined = collectsUnsafely(globalThis.process?.versions?.node ?? '0.0.0') ? [] : undefined;

/**
 * Keeps a native object from being collected where that would abort the process; elsewhere does nothing. A statement costs some hundred bytes until
 * the process ends, and there is one for each text that was ever prepared.
 */
export function retainNativeObject<T extends object>(object: T): T {
  RETAINED?.push(object);
  return object;
}
