const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What a shell reports of a program that a signal ended is 128 and the number of the signal. */
const FORCED_EXIT: Readonly<Record<(typeof SIGNALS)[number], number>> = { SIGINT: 130, SIGTERM: 143 };

/** Resolves with the first signal that asks the program to stop. A second one ends it at once, with what is under way. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (asked) {
          console.error('perigee: stopped at once; requests under way are cut.');
          // oxlint-disable-next-line unicorn/no-process-exit -- what is under way is not waited for
          process.exit(FORCED_EXIT[signal]);
        }
        asked = true;
        resolve();
      });
    }
  });
}
