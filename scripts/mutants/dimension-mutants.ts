import type { Mutant } from './mutant.ts';

const JOURNAL = 'sync/push/outbox-journal.ts';
const TAKE = 'sync/decide/take-remote.ts';

/** Faults that show in single dimensions of worlds. */
export const DIMENSION_MUTANTS: readonly Mutant[] = [
  {
    fault: 'a partition that splits makes a dead letter',
    origin: 'rule 12',
    worlds: ['splits'],
    file: 'sync/push/push.ts',
    find: "  'BAD_REQUEST',\n  'INVALID_ID',",
    replace: "  'BAD_REQUEST',\n  'GONE',\n  'INVALID_ID',",
  },
  {
    fault: 'two processes synchronise one file at once',
    origin: 'one runner a file',
    worlds: ['processes'],
    file: 'sync/run/runner.ts',
    find: 'if (await this.#lock.tryTake()) {',
    replace: 'if ((await this.#lock.tryTake()) || untilMs > 0) {',
  },
  {
    fault: 'a pending write that has expired on the device is gone',
    origin: 'rule 1',
    worlds: ['expiry'],
    file: JOURNAL,
    find: 'return row !== undefined;',
    replace: 'return row === null;',
  },
  {
    fault: 'a document lives on the device from the time at which it was pulled',
    origin: 'expiry by the time of the remote',
    worlds: ['expiry'],
    file: TAKE,
    find: 'defaultTtl === undefined\n      ?',
    replace: 'defaultTtl !== null\n      ?',
  },
  {
    fault: 'a schedule ends for good where a token is refused',
    origin: 'rule 12, row 14',
    worlds: ['tokens'],
    file: 'sync/run/scheduler.ts',
    find: 'this.#failures = report !== undefined && hasMoved(report) ? 1 : this.#failures + 1;',
    replace:
      "if (report?.error?.category === 'auth') return; this.#failures = report !== undefined && hasMoved(report) ? 1 : this.#failures + 1;",
  },
  {
    fault: 'a local field is sent',
    origin: 'what stays on the device',
    worlds: ['local-fields'],
    file: 'sync/form/local-fields.ts',
    find: 'return this.paths.length === 0 ? document : without(this.#root, document);',
    replace: 'return this.paths.length >= 0 ? document : without(this.#root, document);',
  },
  {
    fault: 'a remote version takes local fields away',
    origin: 'what stays on the device',
    worlds: ['local-fields'],
    file: TAKE,
    find: 'const stored = scope.form.hasLocalFields ?',
    replace: "const stored = scope.form.hasLocalFields && id === '' ?",
  },
  {
    fault: 'what an older program wrote is taken over as it is',
    origin: 'versions of documents',
    worlds: ['versions'],
    file: 'sync/form/special-form.ts',
    find: 'if (!this.isOlder(shared)) {',
    replace: 'if (shared !== undefined) {',
  },
  {
    fault: 'a write that lost counts as one that has reached the remote',
    origin: 'reached tells the truth',
    worlds: ['receipts'],
    file: 'sync/writes/await-remote.ts',
    find: 'if (lost !== undefined) {',
    replace: 'if (lost === null) {',
  },
];
