import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ChangePage, ChangesOptions } from '../../store/changes.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { BatchOperation, BatchResult, CallOptions } from '../../store/operations.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

/** What the remote does to the requests of one device. */
export interface RemoteBehaviour {
  /** Carries a batch out, and takes note of it. */
  readonly batch: (
    store: DocumentStore<JsonObject>,
    partitionKey: PartitionKeyInput,
    operations: readonly BatchOperation<JsonObject>[],
    options: CallOptions | undefined,
  ) => Promise<BatchResult<JsonObject>>;
  /** The page that a feed gives, which may be behind. */
  readonly changes: (store: DocumentStore<JsonObject>, options: ChangesOptions) => Promise<ChangePage<JsonObject>>;
}

/** One device's way to the remote. */
export interface Line {
  readonly network: SimulatedNetwork;
  readonly device: string;
  readonly behaviour: RemoteBehaviour;
  /** What the remote looks at before it carries a request out. @throws where it refuses the device */
  readonly admit: () => void;
  /** Called when a request is sent; gives what is called when its sender waits no more. */
  readonly begin: () => () => void;
  /** Whether the life of the device that opened the store is still the present one. */
  readonly isAlive: () => boolean;
}

/** The remote store as a device reaches it: each request is a flight over the simulated network. */
export function networkedStore(inner: () => DocumentStore<JsonObject>, line: Line): DocumentStore<JsonObject> {
  const { network, device, behaviour, isAlive, admit, begin } = line;
  const send = <R>(label: string, apply: () => Promise<R>, signal: AbortSignal | undefined): Promise<R> =>
    isAlive()
      ? network.send(device, label, admitted(apply), signal).finally(begin())
      : Promise.reject(new PerigeeError('UNREACHABLE', 'The simulated device is down.'));
  const admitted =
    <R>(apply: () => Promise<R>): (() => Promise<R>) =>
    async () => {
      admit();
      return apply();
    };
  const ids = (operations: readonly BatchOperation<JsonObject>[]): string =>
    operations.map((one) => `${one.type} ${'document' in one ? one.document.id : one.id}`).join(', ');
  // A remote that was restored is another store.
  return new Proxy(inner(), {
    get(_, name) {
      const target = inner();
      switch (name) {
        case 'batch':
          return (partitionKey: PartitionKeyInput, operations: readonly BatchOperation<JsonObject>[], options?: CallOptions) =>
            send(
              `batch ${JSON.stringify(partitionKey)} ${ids(operations)}`,
              () => behaviour.batch(inner(), partitionKey, operations, withoutSignal(options)),
              options?.signal,
            );
        case 'readMany':
          return (keys: Parameters<typeof target.readMany>[0], options?: CallOptions) =>
            send(`read ${keys.map(({ id }) => id).join(', ')}`, () => inner().readMany(keys, withoutSignal(options)), options?.signal);
        case 'changes':
          return (options: ChangesOptions = {}) => ({
            nextPage: () =>
              send(
                `changes ${JSON.stringify(options.partitionKey)}`,
                () => behaviour.changes(inner(), { ...options, signal: undefined }),
                options.signal,
              ),
          });
        case 'query':
          return (...parameters: Parameters<typeof target.query>) => {
            const result = target.query<JsonObject>(parameters[0], { ...parameters[1], signal: undefined });
            return {
              nextPage: () => send<QueryPage<JsonObject> | undefined>('query', () => result.nextPage(), parameters[1]?.signal),
            };
          };
        default: {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        }
      }
    },
  });
}

/** The sender's signal ends its waiting, not what the remote does. */
function withoutSignal<T extends { readonly signal?: AbortSignal | undefined }>(options: T | undefined): T | undefined {
  return options === undefined ? undefined : { ...options, signal: undefined };
}
