import { formatStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import type { Scope } from '../state/scope.ts';
import { replaceFrozen } from './groups.ts';
import { recordReplaced, type OutboxRow } from './outbox.ts';

/** Puts another document in the place of a pending version, which stays in its group and before later ones. */
export function* replacePending(scope: Scope, { id, frozen }: OutboxRow, document: PreparedDocument, stamp: HlcStamp): Program<void> {
  if (frozen !== null) {
    yield* replaceFrozen(scope.number, id, document.text, formatStamp(stamp));
    return;
  }
  const { position } = yield* scope.store.putProgram(document, { journal: false });
  yield* recordReplaced(scope.number, id, position, stamp);
}
