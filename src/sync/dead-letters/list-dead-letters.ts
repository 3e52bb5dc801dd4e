import type { ErrorCode } from '../../core/error-codes.ts';
import { IS_LETTER } from './is-letter.ts';
import { all, type Program } from '../../stores/sqlite/driver.ts';

/** A dead letter as it is stored, without its local document. */
export interface DeadLetterRow {
  readonly scope: number;
  readonly container: string;
  readonly pk: string;
  readonly id: string;
  readonly kind: 'create' | 'put' | 'delete';
  readonly attempts: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly first_at_ms: number;
  readonly last_at_ms: number;
  readonly remote: string | null;
  readonly group_id: string | null;
  readonly frozen: string | null;
}

/** A place in the list of dead letters. */
export type DeadLetterPlace = Pick<DeadLetterRow, 'first_at_ms' | 'scope' | 'id'>;

/** Dead letters of some scopes behind a place, those refused first at the front. */
export function* listDeadLetterRows(
  scopes: readonly number[],
  container: string | undefined,
  after: DeadLetterPlace | undefined,
  limit: number,
): Program<readonly DeadLetterRow[]> {
  return yield* all<DeadLetterRow>(
    `SELECT o.scope, s.container, s.pk, o.id, o.kind, o.attempts, o.rejected_code AS code, o.rejected_message AS message,
       coalesce(o.first_rejected_at_ms, o.rejected_at_ms) AS first_at_ms, o.rejected_at_ms AS last_at_ms, o.rejected_remote AS remote,
       o.group_id, o.frozen
     FROM sync_outbox o JOIN sync_scope s ON s.scope = o.scope
     WHERE o.scope IN (SELECT value FROM json_each(?)) AND ${IS_LETTER} AND (? IS NULL OR s.container = ?)
       AND (coalesce(o.first_rejected_at_ms, o.rejected_at_ms), o.scope, o.id) > (?, ?, ?)
     ORDER BY coalesce(o.first_rejected_at_ms, o.rejected_at_ms), o.scope, o.id LIMIT ?`,
    JSON.stringify(scopes),
    container ?? null,
    container ?? null,
    after?.first_at_ms ?? -1,
    after?.scope ?? -1,
    after?.id ?? '',
    limit,
  );
}
