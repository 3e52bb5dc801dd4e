import type { PerigeeError } from '../../core/errors.ts';
import { decideWrite, type CurrentVersion, type WriteDecision, type WriteOperation, type WriteRules } from '../../store/write-rules.ts';
import { refusalOr } from '../common/refusal-or.ts';
import type { WriteJournal } from './write-journal.ts';

/** The error by which a check refuses. */
export function refusalOf(check: () => void): PerigeeError | undefined {
  return refusalOr(() => {
    check();
    return undefined;
  });
}

/** {@link decideWrite}, where a journal may refuse what takes the place of a document with the text `before`; or the error by which either refuses. */
export function decideOrRefuse(
  operation: WriteOperation,
  current: CurrentVersion | undefined,
  rules: WriteRules,
  journal: WriteJournal | undefined,
  before: string | undefined,
): WriteDecision | PerigeeError {
  return refusalOr(() => {
    const decision = decideWrite(operation, current, rules);
    if (decision.action === 'put' && before !== undefined) {
      journal?.checkChange?.(before, decision.document.value);
    }
    return decision;
  });
}
