import type { ErrorCode } from '../core/error-codes.ts';
import { PerigeeError } from '../core/errors.ts';
import type { SourceRange } from './syntax-nodes.ts';

/** One entry of `details.errors`, in the service's own shape. */
export interface QueryErrorEntry {
  readonly severity: 'Error';
  readonly location: SourceRange;
  /** `SC1001`, `SC2001`, …; absent where the service has a message but no code. */
  readonly code?: string;
  readonly message: string;
}

/** A {@link QueryErrorEntry} from its parts. */
export function queryErrorEntry(code: string | undefined, location: SourceRange, message: string): QueryErrorEntry {
  const { start, end } = location;
  return { severity: 'Error', location: { start, end }, ...(code === undefined ? {} : { code }), message };
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
}

function sentence(text: string, entry: QueryErrorEntry): string {
  const where = lineAndColumn(text, entry.location.start);
  return `${entry.message} (${entry.code === undefined ? where : `${entry.code}, ${where}`})`;
}

const ENTRIES_IN_MESSAGE = 3;

function queryError(code: ErrorCode, text: string, entries: readonly QueryErrorEntry[], hint?: string): PerigeeError {
  const shown = entries.slice(0, ENTRIES_IN_MESSAGE).map((entry) => sentence(text, entry));
  const more = entries.length - shown.length;
  const parts = ['Cannot run the query.', ...shown, ...(more > 0 ? [`And ${more} more.`] : []), ...(hint === undefined ? [] : [hint])];
  return new PerigeeError(code, parts.join(' '), { details: { errors: entries } });
}

/** The text does not parse: SC1001 at `location`. `hint` says what to write instead; it is for the message only. */
export function querySyntaxError(text: string, location: SourceRange, near: string | undefined, hint?: string): PerigeeError {
  const message =
    near === undefined ? 'Syntax error, incorrect syntax near the end of the query.' : `Syntax error, incorrect syntax near '${near}'.`;
  return queryError('QUERY_SYNTAX', text, [queryErrorEntry('SC1001', location, message)], hint);
}

/** The code of an entry for a feature or function that is not there. */
export const NOT_SUPPORTED_ENTRY = 'SC2990';

/** An entry that refuses `feature` by name. */
export function notSupportedEntry(location: SourceRange, feature: string): QueryErrorEntry {
  return queryErrorEntry(NOT_SUPPORTED_ENTRY, location, `The specified query includes '${feature}' which is currently not supported.`);
}

/** The text parses but means nothing: QUERY_INVALID; QUERY_NOT_SUPPORTED when every entry refuses a feature by name. */
export function queryInvalidError(text: string, entries: readonly QueryErrorEntry[], hint?: string): PerigeeError {
  const unsupported = entries.every((entry) => entry.code === NOT_SUPPORTED_ENTRY);
  return queryError(unsupported ? 'QUERY_NOT_SUPPORTED' : 'QUERY_INVALID', text, entries, hint);
}

/** The text is over a limit: QUERY_LIMIT. `code` is the service's, where it has one. */
export function queryLimitError(text: string, location: SourceRange, message: string, code?: string): PerigeeError {
  return queryError('QUERY_LIMIT', text, [queryErrorEntry(code, location, message)]);
}
