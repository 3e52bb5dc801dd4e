import type { ErrorCode } from '../../core/error-codes.ts';

/** Codes of one operation which say that the remote holds another version than the one the write follows. */
export const CONFLICT_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED']);
