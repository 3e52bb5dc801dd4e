import { PerigeeError } from '../../core/errors.ts';
import { STORE_LIMITS, utf8Length } from '../../store/limits.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import type { AppliedWrite } from '../../stores/common/applied-write.ts';
import { formGroup } from './groups.ts';

/** Kept free of a batch's bytes for each document: its stamp, which names other writes where a policy merges. */
const STAMP_BYTES = 512;

/**
 * Makes the writes of one transaction an atomic group, once they are pending: they go to the remote whole or not at all. What leaves one document to send is none.
 *
 * @throws TOO_LARGE where the remote could not take all of it in one batch
 */
export function* recordGroup(scope: number, writes: readonly AppliedWrite[], nowMs: number): Program<void> {
  const last = new Map(writes.map((write) => [write.key.id, write]));
  const [first] = writes;
  if (first === undefined || last.size < 2) {
    return;
  }
  const count = yield* formGroup(scope, first.position, [...last.keys()], nowMs);
  const bytes = [...last.values()].reduce(
    (sum, { document }) => sum + STAMP_BYTES + (document === undefined ? 0 : utf8Length(document.text)),
    0,
  );
  const { batchOperations, documentBytes } = STORE_LIMITS;
  if (count > batchOperations || (count > 1 && bytes > documentBytes)) {
    throw new PerigeeError(
      'TOO_LARGE',
      `Cannot write ${count} documents of ${bytes} bytes in one transaction: it is sent as one batch, of ${batchOperations} operations and ${documentBytes} bytes at most. Nothing was written; divide it.`,
      { details: { documents: count, bytes } },
    );
  }
}
