import type { SandboxSettings } from '../script-protocol.ts';
import type { addQueryApi } from './create-query-api.ts';
import type { createCollection } from './create-collection.ts';
import type { createMessage } from './create-message.ts';
import type { createQueue } from './create-queue.ts';
import type { installGlobals } from './install-globals.ts';
import type { NumberedError, Sandbox, SandboxHost, SandboxKit } from './sandbox-types.ts';

/** The other functions of this folder, which {@link bootSandbox} puts together. */
export interface SandboxParts {
  readonly installGlobals: typeof installGlobals;
  readonly createMessage: typeof createMessage;
  readonly createQueue: typeof createQueue;
  readonly createCollection: typeof createCollection;
  readonly addQueryApi: typeof addQueryApi;
}

/** Makes the world of a stored procedure or trigger: `getContext`, `__`, `console` and what hangs on them. */
export function bootSandbox(parts: SandboxParts, host: SandboxHost, settingsJson: string): Sandbox {
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const encode = encodeURIComponent;
  const settings = parse(settingsJson) as SandboxSettings;
  parts.installGlobals(settings.seed);
  const Numbered = Error as unknown as new (number: number, message: string) => NumberedError;
  const kit: SandboxKit = { host, parse, stringify, refuse: (number, message) => new Numbered(number, message) };

  const queue = parts.createQueue(kit, settings.maxOperations);
  const request = parts.createMessage(kit, settings.request, settings.maxBodyCharacters);
  const response = settings.response === undefined ? undefined : parts.createMessage(kit, settings.response, settings.maxBodyCharacters);
  const { collection, readCallOptions } = parts.createCollection(kit, queue, settings);
  const append = response?.message.appendValue;
  parts.addQueryApi(kit, queue, collection, readCallOptions, append === undefined ? undefined : (value) => append('Body', value));
  const spatial: Record<string, (...values: unknown[]) => unknown> = {};
  for (const [name, count] of Object.entries({ distance: 2, intersects: 2, isValid: 1, isValidDetailed: 1, within: 2 })) {
    spatial[name] = (...values) => {
      if (values.length < count || values.slice(0, count).some((value) => typeof value !== 'object')) {
        throw kit.refuse(400, `The function "${name}" needs ${count} GeoJSON object(s).`);
      }
      const json = host.spatial(name, stringify(values.slice(0, count)));
      return json === undefined ? undefined : parse(json);
    };
  }
  Object.assign(collection, { spatial });

  let log = '';
  let logLength = 0;
  const write = (...values: unknown[]): void => {
    if (values.length === 0) {
      throw kit.refuse(400, 'The function "log" needs 1 argument(s) and was called with 0.');
    }
    if (values.length > 1 && typeof values[0] !== 'string') {
      throw kit.refuse(400, 'The first argument of console.log has to be a text where there are others for its %s.');
    }
    let at = 0;
    const line =
      values.length === 1
        ? String(values[0])
        : (values[0] as string).replace(/%([%s])/gu, (_match, kind) => (kind === '%' ? '%' : String(values[(at += 1)])));
    logLength += encode(line).length;
    if (logLength > settings.maxLogCharacters) {
      throw kit.refuse(413, 'The log would be too large for the header that carries it.');
    }
    log += line;
  };

  let aborted: { readonly reason: unknown } | undefined;
  const context = {
    getCollection: () => collection,
    getRequest: () => request.message,
    ...(response === undefined ? {} : { getResponse: () => response.message }),
    abort: (reason: unknown): never => {
      aborted ??= { reason };
      queue.close();
      throw reason;
    },
  };
  Object.assign(globalThis, {
    getContext: () => context,
    __: Object.assign(
      Object.create(collection),
      { request: request.message },
      response === undefined ? {} : { response: response.message },
    ),
    console: { log: settings.isLogging ? write : () => undefined },
  });

  return {
    start(main, parametersJson) {
      apply(main, undefined, [parse(parametersJson)]);
    },
    take: () => queue.take(),
    settle: (resultJson) => queue.settle(resultJson),
    finish() {
      if (aborted !== undefined) {
        throw aborted.reason;
      }
      return stringify({ requestJson: request.json('Body'), responseJson: response?.json('Body'), log });
    },
  };
}
