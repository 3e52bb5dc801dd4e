import type { Mutant } from './mutant.ts';

const GROUP = 'sync/push/record-group.ts';
const GROUPS = 'sync/push/groups.ts';
const JOURNAL = 'sync/push/outbox-journal.ts';
const SEND = 'sync/push/send-batch.ts';
const APPLY = 'sync/decide/apply.ts';
const SETTLE = 'sync/decide/settle.ts';
const SETTLE_GROUP = 'sync/decide/settle-group.ts';

/** Faults in what is sent whole or not at all. */
export const GROUP_MUTANTS: readonly Mutant[] = [
  {
    fault: 'documents of a transaction are sent one by one',
    origin: 'rule 14',
    file: GROUP,
    find: 'last.size < 2',
    replace: 'last.size > 0',
  },
  {
    fault: 'a later write goes with the transaction whose document it changes',
    origin: 'rule 14',
    file: JOURNAL,
    find: "isGrouped && (yield* freeze(scope.number, id, write.previous?.text)) ? 'pending' : 'remote'",
    replace: "isGrouped && id === '' ? 'pending' : 'remote'",
  },
  {
    fault: 'a document of a transaction meets the remote alone, in a pull',
    origin: 'rule 14',
    file: APPLY,
    find: 'row.group_id !== null) {\n    return yield* applyToMember',
    replace: "row.group_id === '') {\n    return yield* applyToMember",
  },
  {
    fault: 'a document of a transaction that loses leaves the others to be sent',
    origin: 'rule 14',
    file: SETTLE_GROUP,
    find: 'isLost && isWilling ?',
    replace: 'isLost && applied.length < 0 ?',
  },
  {
    fault: 'a write overtakes the transaction that it follows',
    origin: 'rule 14',
    file: SEND,
    find: 'mayWait ? yield* waitsFor(scope, rows) : undefined',
    replace: 'mayWait && rows.length < 0 ? yield* waitsFor(scope, rows) : undefined',
  },
  {
    fault: 'what was sent of a transaction that is given up is forgotten by the write that follows it',
    origin: 'found by the simulator, seeds 457 and 691',
    mix: 'doubts',
    file: SETTLE,
    find: '  yield* inheritSent(scope.number, row, next);\n',
    replace: '',
  },
  {
    fault: 'the acknowledgement of a transaction counts for a write that was made meanwhile',
    origin: 'rule 1, rule 14',
    file: GROUPS,
    find: 'return yield* withVersion(item, (id) => clearPending(scope, id, item.generation));',
    replace:
      'return (yield* clearPending(scope, item.rowId, (yield* readPending(scope, item.rowId))?.generation ?? 0)) ? "current" : undefined;',
  },
];
