import { PerigeeError } from '../core/errors.ts';
import { exceedsBytes, STORE_LIMITS } from './limits.ts';
import type { StoreOperation } from './write-rules.ts';

/** Refuses a batch whose documents are larger together than a request may be. @throws TOO_LARGE */
export function checkBatchSize(operations: readonly StoreOperation[]): void {
  let length = 0;
  for (const operation of operations) {
    length += 'document' in operation ? operation.document.text.length : 0;
    if (
      length > STORE_LIMITS.documentBytes ||
      ('document' in operation && length * 3 > STORE_LIMITS.documentBytes && totalBytesExceed(operations))
    ) {
      throw new PerigeeError('TOO_LARGE', 'The documents of the batch are larger than 2 MB together. Request size is too large.');
    }
  }
}

function totalBytesExceed(operations: readonly StoreOperation[]): boolean {
  return exceedsBytes(
    operations.map((operation) => ('document' in operation ? operation.document.text : '')).join(''),
    STORE_LIMITS.documentBytes,
  );
}
