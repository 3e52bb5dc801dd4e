import type { OperationResult, ScriptOperation } from '../script-protocol.ts';
import type { OperationDone, OperationQueue, SandboxKit } from './sandbox-types.ts';

/** Makes the queue of calls on the container. A call is refused when time is nearly up, or when `maxOperations` wait. */
export function createQueue({ host, parse, stringify, refuse }: SandboxKit, maxOperations: number): OperationQueue {
  let added: ScriptOperation[] = [];
  const waiting: (OperationDone | undefined)[] = [];
  let first = 0;
  let isClosed = false;
  return {
    add(operation, done) {
      if (isClosed || waiting.length - first >= maxOperations || host.acceptingMs() <= 0) {
        return false;
      }
      added[added.length] = operation;
      waiting[waiting.length] = done;
      return true;
    },
    take() {
      if (isClosed || added.length === 0) {
        return '';
      }
      const json = stringify(added) ?? '';
      added = [];
      return json;
    },
    settle(resultJson) {
      const done = waiting[first];
      waiting[first] = undefined;
      first += 1;
      if (first === waiting.length) {
        waiting.length = 0;
        first = 0;
      }
      if (isClosed || done === undefined) {
        return;
      }
      const result = parse(resultJson) as OperationResult;
      if ('error' in result) {
        const error = refuse(result.error.number, result.error.message);
        error.body = result.error.message;
        done(error, undefined);
      } else {
        done(undefined, result);
      }
    },
    close() {
      isClosed = true;
    },
  };
}
