import { PerigeeError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';

/** What goes wrong with one request: before the remote sees it, after it has been carried out, or it is carried out at some later time. */
export interface Fault {
  readonly when: 'before' | 'after' | 'late';
  readonly error: PerigeeError;
}

/** Takes a request that is to be carried out later. */
export type Later = (send: () => Promise<unknown>) => void;

/** Requests that the sync engine makes. */
export type RequestName = 'batch' | 'readMany' | 'changes' | 'query';

/** Decides about each request; `run` may also do something of its own before. */
export type FaultPlan = (request: RequestName) => Fault | undefined | Promise<Fault | undefined>;

export function fault(code: ErrorCode, when: Fault['when'] = 'before', retryAfterMs?: number): Fault {
  return { when, error: new PerigeeError(code, `Injected ${code}.`, { retryAfterMs }) };
}

async function injured<R>(plan: FaultPlan, later: Later, request: RequestName, send: () => Promise<R>): Promise<R> {
  const injected = await plan(request);
  if (injected?.when === 'late') {
    later(send);
    throw injected.error;
  }
  if (injected?.when === 'before') {
    throw injected.error;
  }
  const result = await send();
  if (injected?.when === 'after') {
    throw injected.error;
  }
  return result;
}

/** The given store with an unreliable line to it. What the store itself does is real. */
export function faultyStore(inner: DocumentStore<JsonObject>, plan: FaultPlan, later: Later = () => undefined): DocumentStore<JsonObject> {
  return new Proxy(inner, {
    get(target, name) {
      switch (name) {
        case 'batch':
          return (...parameters: Parameters<typeof target.batch>) => injured(plan, later, 'batch', () => target.batch(...parameters));
        case 'readMany':
          return (...parameters: Parameters<typeof target.readMany>) =>
            injured(plan, later, 'readMany', () => target.readMany(...parameters));
        case 'changes':
        case 'query':
          return (...parameters: never[]) => {
            const pages = (target[name] as (...rest: never[]) => { nextPage(): Promise<unknown> })(...parameters);
            return { nextPage: () => injured(plan, later, name, () => pages.nextPage()) };
          };
        default: {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        }
      }
    },
  });
}

/** The given store, telling no positions in answers to writes, as Cosmos DB. */
export function withoutPositions(store: DocumentStore<JsonObject>): DocumentStore<JsonObject> {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'batch') {
        return async (...parameters: Parameters<typeof target.batch>) => {
          const result = await target.batch(...parameters);
          return { ...result, outcomes: result.outcomes.map((outcome) => (outcome.ok ? { ...outcome, position: undefined } : outcome)) };
        };
      }
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
    },
  });
}
