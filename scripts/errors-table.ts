/** Prints the table of `docs/errors.md` from the error codes: `npx tsx scripts/errors-table.ts`. */
import { pathToFileURL } from 'node:url';
import { ERROR_CODES, type ErrorCode } from '../src/core/error-codes.ts';

/** The table of error codes as Markdown. */
export function errorsTable(): string {
  const rows = (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => {
    const info = ERROR_CODES[code];
    const status = info.subStatus === undefined ? String(info.status) : `${info.status} / ${info.subStatus}`;
    return `| \`${code}\` | ${info.category} | ${info.retryable ? 'yes' : 'no'} | ${status} | ${info.exitCode} | ${info.meaning} | ${info.action} |`;
  });
  return ['| code | category | retryable | HTTP | exit | meaning | what to do |', '|---|---|---|---|---|---|---|', ...rows].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(errorsTable());
}
