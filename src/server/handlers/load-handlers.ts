import { LazyModule } from '../../core/lazy-module.ts';
import type { Handler } from '../handler.ts';
import type { AllHandlers } from './all-handlers.ts';

const HANDLERS = new LazyModule<AllHandlers>(async () => (await import('./all-handlers.ts')).ALL_HANDLERS);

/** Loads all handlers, and with them the language of queries. */
export async function loadHandlers(): Promise<void> {
  await HANDLERS.load();
}

/** Gives all handlers, for a program that has loaded them with the server. */
export function provideHandlers(all: AllHandlers): void {
  HANDLERS.provide(all);
}

/** A handler that is loaded, with all others, when it is first needed: a server listens before that. */
export function handledBy(pick: (all: AllHandlers) => Handler): Handler {
  let found: Handler | undefined;
  return (context) =>
    found === undefined
      ? HANDLERS.load().then((all) => {
          found = pick(all);
          return found(context);
        })
      : found(context);
}
