import type { Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Backend } from '../../store/backend.ts';

/** Whether a server takes requests, and if not, why. */
export type ReadinessStatus = 'ready' | 'overloaded' | 'stopping' | 'unavailable';

/** How long an answer of the backend counts: anybody may ask, and a backend may be far away. */
const TRUST_MS = 1000;
/** How long the backend may take. */
const TIMEOUT_MS = 2000;
/** A name that no database has to have: it is only looked up. */
const PROBED = 'perigee-readiness';

/** What {@link Readiness} looks at. */
export interface ReadinessParts {
  readonly backend: Backend;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly isClosing: () => boolean;
  /** Whether requests are refused because there are too many. */
  readonly isOverloaded: () => boolean;
}

/** Finds out whether a server takes requests: it does not while it stops, nor when its backend does not answer. */
export class Readiness {
  readonly #parts: ReadinessParts;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #answer: Promise<boolean> = Promise.resolve(false);

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  async status(): Promise<ReadinessStatus> {
    const { runtime, isClosing, isOverloaded } = this.#parts;
    const nowMs = runtime.monotonicMs();
    if (!isClosing() && nowMs - this.#askedAtMs >= TRUST_MS) {
      this.#askedAtMs = nowMs;
      this.#answer = this.#ask();
    }
    const answers = !isClosing() && (await this.#answer);
    return isClosing() ? 'stopping' : !answers ? 'unavailable' : isOverloaded() ? 'overloaded' : 'ready';
  }

  #ask(): Promise<boolean> {
    const { backend, runtime, logger } = this.#parts;
    return new Promise((resolve) => {
      const cancel = runtime.setTimer(TIMEOUT_MS, () => {
        logger.log('warn', 'not ready: the store does not answer');
        resolve(false);
      });
      const settle = (answers: boolean): void => {
        cancel();
        resolve(answers);
      };
      backend.readDatabase(PROBED).then(
        () => settle(true),
        (error: unknown) => {
          logger.log('warn', 'not ready: the store fails', { error });
          settle(false);
        },
      );
    });
  }
}
