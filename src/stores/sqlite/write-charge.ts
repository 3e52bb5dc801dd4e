import type { JsonObject } from '../../core/json.ts';
import type { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import { patchUnits, pointReadUnits, replaceUnits, writeUnits } from '../../query/cost/request-units.ts';
import type { StoreOperation, WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from './write-journal.ts';

/** About how long the system properties are, which the model counts and the file does not hold. */
const SYSTEM_BYTES = 200;

function sizeOf(text: string | undefined): number {
  return (text?.length ?? 0) + SYSTEM_BYTES;
}

/** Request units of a write; `stored` is the document as it is stored now, absent for a delete. */
export function writeCharge(applied: AppliedWrite, operation: WriteOperation, stored: JsonObject | undefined, terms: IndexedTerms): number {
  const before = applied.previous?.text;
  if (before === undefined) {
    return stored === undefined ? 0 : writeUnits(sizeOf(applied.document?.text), terms.count(stored));
  }
  const old = JSON.parse(before) as JsonObject;
  if (stored === undefined) {
    // The time of the last write is a term too.
    return writeUnits(sizeOf(before), terms.count({ ...old, _ts: 0 }));
  }
  const { removed, added } = terms.changes({ ...old, _ts: 0 }, stored);
  const cost = { bytesBefore: sizeOf(before), bytesAfter: sizeOf(applied.document?.text), termsRemoved: removed, termsAdded: added };
  return operation.type === 'patch' ? patchUnits(cost, operation.operations.length) : replaceUnits(cost);
}

/** Request units of reading one document; of one that is missing without a text. */
export function readCharge(text: string | undefined): number {
  return pointReadUnits(text === undefined ? 0 : sizeOf(text));
}

/** Request units of an operation that was refused: what it costs on a small document. */
export function refusalCharge(operation: StoreOperation): number {
  return operation.type === 'read' ? pointReadUnits(0) : writeUnits(0, 0);
}
