import type { JsonObject } from '../../core/json.ts';
import type { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import { patchUnits, pointReadUnits, replaceUnits, writeUnits } from '../../query/cost/request-units.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import type { StoreOperation, WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from './applied-write.ts';

/** About how long the system properties are, which the model counts and the file does not hold. */
const SYSTEM_BYTES = 200;

function sizeOf(text: string | undefined): number {
  return (text?.length ?? 0) + SYSTEM_BYTES;
}

/** Request units of a write; `stored` is the document that was stored, where it is at hand. */
export function writeCharge(applied: AppliedWrite, operation: WriteOperation, terms: IndexedTerms, stored?: JsonObject): number {
  const { document, previous } = applied;
  const valueOf = ({ text }: PreparedDocument): JsonObject => stored ?? (JSON.parse(text) as JsonObject);
  const before = previous?.text;
  if (before === undefined) {
    return document === undefined ? 0 : writeUnits(sizeOf(document.text), terms.count(valueOf(document)));
  }
  const old = (): JsonObject => JSON.parse(before) as JsonObject;
  if (document === undefined) {
    return writeUnits(sizeOf(before), terms.count(old()));
  }
  const { removed, added } = before === document.text ? terms.changesOfNothing() : terms.changes(old(), valueOf(document));
  const cost = { bytesBefore: sizeOf(before), bytesAfter: sizeOf(document.text), termsRemoved: removed, termsAdded: added };
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
