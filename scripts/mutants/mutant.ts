/** A fault that is put into the sources on purpose. */
export interface Mutant {
  /** What is wrong, as a person would report it. */
  readonly fault: string;
  /** Where such a fault was met: a trap of the system that sync replaces, a row of the published losses, or a rule of `src/sync/ARCHITECTURE.md`. */
  readonly origin: string;
  /** Below `src`. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}
