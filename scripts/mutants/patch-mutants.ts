import type { Mutant } from './mutant.ts';

const PARTIAL = 'sync/push/partial-update.ts';
const OUTBOX = 'sync/push/outbox.ts';
const JOURNAL = 'sync/push/outbox-journal.ts';

/** Faults in what travels as a patch. */
export const PATCH_MUTANTS: readonly Mutant[] = [
  {
    fault: 'a patch is sent whatever the remote holds',
    origin: 'rule 2',
    file: PARTIAL,
    find: '...(at === 0 ? { ifMatch: etag } : {})',
    replace: '...(at === 0 ? {} : { ifMatch: etag })',
  },
  {
    fault: 'what an earlier patch has touched is forgotten with the next one',
    origin: 'rule 1',
    mix: 'patches',
    file: JOURNAL,
    find: "JSON.parse(row?.touched ?? '[]')",
    replace: "JSON.parse(row === undefined ? '[]' : '[]')",
  },
  {
    fault: 'a whole document that follows a patch is sent as that patch',
    origin: 'rule 1',
    mix: 'patches',
    file: OUTBOX,
    find: 'touched = excluded.touched,',
    replace: 'touched = coalesce(excluded.touched, touched),',
  },
  {
    fault: 'what a patch has taken away stays at the remote',
    origin: 'rule 1',
    file: PARTIAL,
    find: "        { op: 'set', path, value: null },\n        { op: 'remove', path },",
    replace: '',
  },
  {
    fault: 'patches of a version that lost are sent on top of the one that won',
    origin: 'rule 2',
    mix: 'patches',
    file: OUTBOX,
    find: 'touched = CASE WHEN ? THEN touched END,',
    replace: 'touched = CASE WHEN ? THEN touched ELSE touched END,',
  },
];
