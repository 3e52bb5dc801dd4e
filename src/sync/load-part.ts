import { PerigeeError } from '../core/errors.ts';
import type { LazyModule } from '../core/lazy-module.ts';
import { abortable } from '../store/call-tracker.ts';

/** A part of the engine, which may have to be loaded first. @throws UNREACHABLE where that fails; the signal's reason */
export async function loadPart<M>(part: LazyModule<M>, signal?: AbortSignal): Promise<M> {
  if (part.loaded !== undefined) {
    return part.loaded;
  }
  const loading = part.load().catch((cause: unknown) => {
    throw new PerigeeError(
      'UNREACHABLE',
      'A part of the sync engine that is loaded when it is first wanted could not be loaded. Keep all files of the program where they can be read offline, and call again.',
      { cause },
    );
  });
  return signal === undefined ? loading : abortable(loading, signal);
}

/** A part that was loaded before, for code that cannot wait. @throws INTERNAL where nobody has loaded it */
export function partNow<M>({ loaded }: LazyModule<M>): M {
  if (loaded === undefined) {
    throw new PerigeeError('INTERNAL', 'A part of the sync engine was wanted before it was loaded.');
  }
  return loaded;
}
