import { LazyModule } from '../../core/lazy-module.ts';
import type { Handler } from '../handler.ts';
import type * as AllHandlers from './all-handlers.ts';

type Handlers = typeof AllHandlers;

const HANDLERS = new LazyModule<Handlers>(() => import('./all-handlers.ts'));

/** Loads all handlers, and with them the language of queries. */
export async function loadHandlers(): Promise<void> {
  await HANDLERS.load();
}

/** A handler that is loaded, with all others, when it is first needed: a server listens before that. */
export function handledBy(pick: (all: Handlers) => Handler): Handler {
  let found: Handler | undefined;
  return (context) =>
    found === undefined
      ? HANDLERS.load().then((all) => {
          found = pick(all);
          return found(context);
        })
      : found(context);
}
