/** Code of the members of a group that wait because of another one. */
export const DEPENDENT_CODE: string = 'FAILED_DEPENDENCY';

/** A condition on rows `o` of the outbox: a dead letter of its own, not one that waits for another of its group. */
export const IS_LETTER: string = `o.rejected_code IS NOT NULL AND o.rejected_code <> '${DEPENDENT_CODE}'`;
