import { PerigeeError } from '../../core/errors.ts';
import type { OperationOutcome } from '../../store/operations.ts';
import type { StoreOperation } from '../../store/write-rules.ts';
import { refusalCharge } from './write-charge.ts';

/** Undoes the transaction of a batch; never leaves the store. */
export class RefusedBatch extends Error {
  readonly index: number;
  readonly refusal: PerigeeError;

  constructor(index: number, refusal: PerigeeError) {
    super(refusal.message);
    this.index = index;
    this.refusal = refusal;
  }
}

/** Outcomes of a batch that did not commit: one operation has its own error, all others depend on it. */
export function failedOutcomes<T extends object>(
  operations: readonly StoreOperation[],
  failed: number,
  error: PerigeeError,
): OperationOutcome<T>[] {
  const dependent = `Not applied: operation ${failed} of the same batch failed.`;
  return operations.map((operation, index) =>
    index === failed
      ? { ok: false, error, requestUnits: refusalCharge(operation) }
      : { ok: false, error: new PerigeeError('FAILED_DEPENDENCY', dependent), requestUnits: 0 },
  );
}
