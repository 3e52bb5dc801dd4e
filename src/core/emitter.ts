/** Removes a listener; calling it twice does nothing. */
export type Unsubscribe = () => void;

/**
 * A typed event emitter. Listeners run in the order they were added, each in a try of its own: what a listener throws is reported once,
 * on a microtask, and never reaches the emitting code or the other listeners.
 *
 * @example
 * ```ts
 * import { Emitter } from 'perigee';
 *
 * const emitter = new Emitter<{ pushed: number }>();
 * const off = emitter.on('pushed', (count) => console.log(count)); // -> 3
 * emitter.emit('pushed', 3);
 * off();
 * ```
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Adds a listener and returns the function that removes it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe {
    const existing = this.#listeners.get(name);
    const set = existing ?? new Set<(event: never) => void>();
    if (existing === undefined) {
      this.#listeners.set(name, set);
    }
    set.add(listener);
    return () => {
      set.delete(listener);
    };
  }

  /** Calls every listener of `name`. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const set = this.#listeners.get(name);
    if (set === undefined) {
      return;
    }
    for (const listener of Array.from(set) as ((event: Events[Name]) => void)[]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Whether anybody listens, so that an expensive event need not be built. */
  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }
}
