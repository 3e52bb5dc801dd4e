import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { BatchOperation } from '../../src/store/operations.ts';
import { isMarker } from '../../src/sync/pull/markers.ts';
import type { Note } from './world.ts';

export type Operation = BatchOperation<JsonObject>;

export const STORY: string = 'Once upon a time. '.repeat(40);

/** A note that is much longer than what is patched in it. */
export const note = (rest: object = {}, id = '1'): Note => ({
  id,
  owner: 'ada',
  text: 'a',
  story: STORY,
  tags: ['x'],
  at: { city: 'Bern' },
  ...rest,
});

/** The given store; what goes to it is noted in `sent`, markers left out, and may be answered by somebody else. */
export function watched(
  sent: Operation[][],
  store: DocumentStore<JsonObject>,
  answer?: (operations: readonly Operation[], send: () => ReturnType<typeof store.batch>) => ReturnType<typeof store.batch>,
): DocumentStore<JsonObject> {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'batch') {
        return (...parameters: Parameters<typeof target.batch>) => {
          const [, operations] = parameters;
          sent.push(operations.filter((one) => !isMarker('document' in one ? one.document.id : one.id)));
          const send = (): ReturnType<typeof target.batch> => target.batch(...parameters);
          return answer === undefined ? send() : answer(operations, send);
        };
      }
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** Paths of everything that was sent as patches, each with what became of it. */
export function patchedIn(sent: readonly (readonly Operation[])[]): readonly string[] {
  return sent
    .flat()
    .flatMap((one) => (one.type === 'patch' ? one.operations.map(({ op, path }) => `${op} ${path}`) : [`${one.type} whole`]));
}
