/** A fault that is put into the sources on purpose. */
export interface Mutant {
  /** What is wrong, as a person would report it. */
  readonly fault: string;
  /** Where such a fault was met: a trap of the system that sync replaces, a row of the published losses, or a rule of `src/sync/ARCHITECTURE.md`. */
  readonly origin: string;
  /** Below `src`. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

const OUTBOX = 'sync/outbox.ts';
const JOURNAL = 'sync/outbox-journal.ts';
const PUSH = 'sync/push.ts';
const SEND = 'sync/send-batch.ts';
const PULL = 'sync/pull.ts';
const SETTLE = 'sync/settle.ts';
const TAKE = 'sync/take-remote.ts';
const APPLY = 'sync/apply.ts';
const DECIDE = 'sync/conflict.ts';
const RECONCILE = 'sync/reconcile.ts';

/** Faults that the simulator has to find. */
export const MUTANTS: readonly Mutant[] = [
  {
    fault: 'an edit during a push is no longer pending after it',
    origin: 'S1-D05, row 21',
    file: OUTBOX,
    find: "'DELETE FROM sync_outbox WHERE scope = ? AND id = ? AND generation = ?', scope, id, generation)",
    replace: "'DELETE FROM sync_outbox WHERE scope = ? AND id = ?', scope, id)",
  },
  {
    fault: 'a second edit keeps the generation of the first',
    origin: 'S1-D05, rule 1',
    file: OUTBOX,
    find: 'generation = excluded.generation, stamp = excluded.stamp`',
    replace: 'stamp = excluded.stamp`',
  },
  {
    fault: 'a deletion is not pending',
    origin: 'S1-D04',
    file: JOURNAL,
    find: 'if (yield* this.#vanished(scope, id)) {',
    replace: 'if (id !== "") {',
  },
  {
    fault: 'the deletion of a document whose creation is on its way leaves nothing to send',
    origin: 'row 21, rule 5',
    file: JOURNAL,
    find: 'if (row?.sent !== null && row !== undefined) {',
    replace: 'if (row === null) {',
  },
  {
    fault: 'the deletion of a document that the remote holds leaves nothing to send',
    origin: 'S1-D04, rule 7',
    file: JOURNAL,
    find: 'if (base?.deleted === 0) {',
    replace: 'if (base?.deleted === 2) {',
  },
  {
    fault: 'what was sent before a loss of power is taken for unsent',
    origin: 'found by the simulator, seed 66',
    file: OUTBOX,
    find: `yield* run("UPDATE sync_outbox SET sent = ? WHERE sent IS NULL AND kind = 'create'", FORGOTTEN);`,
    replace: 'yield* run("UPDATE sync_outbox SET sent = ? WHERE 0", FORGOTTEN);',
  },
  {
    fault: 'names of writes come again after a loss of power',
    origin: 'found by the simulator, seed 1299',
    file: OUTBOX,
    find: 'return `${row.stamp}.${row.generation}-${life}`;',
    replace: 'return `${row.stamp}.${row.generation}-${life === "" ? life : "0000000100000000"}`;',
  },
  {
    fault: 'a name is not noted before it is sent',
    origin: 'rule 5',
    file: SEND,
    find: 'yield* markSent(scope.number, row, name,',
    replace: 'if (bytes < 0) yield* markSent(scope.number, row, name,',
  },
  {
    fault: 'a write is no longer pending once it is sent',
    origin: 'S1-D01, row 9',
    file: SEND,
    find: 'const { generation } = row;',
    replace: 'const { generation } = row; yield* clearPending(scope.number, id, generation);',
  },
  {
    fault: 'a time-out counts as an acknowledgement',
    origin: 'row 9, row 19',
    file: PUSH,
    find: 'if (!isPerigeeError(error) || !DOCUMENT_CODES.has(error.code)) {',
    replace:
      "if (isPerigeeError(error, 'TIMEOUT')) { for (const item of items) await this.#context.database.write(() => clearPending(this.#scope.number, item.id, item.generation)); return; } if (!isPerigeeError(error) || !DOCUMENT_CODES.has(error.code)) {",
  },
  {
    fault: 'an expired token makes a dead letter',
    origin: 'rows 1, 20',
    file: PUSH,
    find: "  'BAD_REQUEST',\n  'INVALID_ID',",
    replace: "  'BAD_REQUEST',\n  'TOKEN_EXPIRED',\n  'UNAUTHORIZED',\n  'INVALID_ID',",
  },
  {
    fault: 'being throttled makes a dead letter',
    origin: 'row 3, rule 10',
    file: PUSH,
    find: "  'BAD_REQUEST',\n  'INVALID_ID',",
    replace: "  'BAD_REQUEST',\n  'THROTTLED',\n  'INVALID_ID',",
  },
  {
    fault: 'a batch that did not commit counts as committed',
    origin: 'S1-D01, row 7',
    file: PUSH,
    find: 'if (committed) {',
    replace: 'if (committed || !committed) {',
  },
  {
    fault: 'a document is replaced whatever the remote holds',
    origin: 'S1-D07',
    file: SEND,
    find: "{ type: 'replace', document, ifMatch: base.etag }",
    replace: "{ type: 'replace', document }",
  },
  {
    fault: 'a document is upserted blindly',
    origin: 'S1-D07, rule 2',
    file: SEND,
    find: "return base === undefined ? { type: 'create', document } :",
    replace: "return base === undefined ? { type: 'upsert', document } :",
  },
  {
    fault: 'the base stays behind after an acknowledgement',
    origin: 'rule 4',
    file: PUSH,
    find: 'yield* writeBase(number, id, { etag: outcome.etag',
    replace: 'if (ts < 0) yield* writeBase(number, id, { etag: outcome.etag',
  },
  {
    fault: 'a conflict ends the push of the other documents for good',
    origin: 'S1-D24, row 12',
    file: PUSH,
    find: 'this.#queue.unshift(...again);',
    replace:
      'for (const id of again) { const row = await this.#context.database.read(() => readPending(this.#scope.number, id)); if (row !== undefined) await this.#context.database.write(() => clearPending(this.#scope.number, id, row.generation)); }',
  },
  {
    fault: 'the cursor is kept before the page',
    origin: 'rows 5, 6',
    file: PULL,
    find: 'const results = await applyAll(context, remote, versions, change);',
    replace:
      'await context.database.write(() => updateScope(remote.scope.number, { cursor: page.cursor }));\n  const results = await applyAll(context, remote, versions, change);',
  },
  {
    fault: 'the last document of a page is left out',
    origin: 'rows 11, 12',
    file: PULL,
    find: '  for (const version of versions) {\n    results.push',
    replace: '  for (const version of versions.slice(0, Math.max(1, versions.length - 1))) {\n    results.push',
  },
  {
    fault: 'a pull takes no notice of what is pending',
    origin: 'S1-D06, S1-D10',
    file: PULL,
    find: 'mayBePending: yield* hasPending(scope.number)',
    replace: 'mayBePending: false && (yield* hasPending(scope.number))',
  },
  {
    fault: 'a cursor that is refused is passed over',
    origin: 'row 22',
    file: PULL,
    find: 'await context.database.write(() => restartPull(number));\n  return true;',
    replace: 'return false;',
  },
  {
    fault: 'what loses against the remote is not kept',
    origin: 'rule 8',
    file: SETTLE,
    find: "const journalSeq = yield* journalLoser(context, scope, id, local, remote, isJudged ? outcome : 'schema');",
    replace: 'const journalSeq = 0;',
  },
  {
    fault: 'what loses against the device is not kept',
    origin: 'rule 8',
    file: SETTLE,
    find: "const journalSeq = yield* journalLoser(context, scope, id, local, remote, isBehind ? 'restored' : forced ? 'forced' : 'local-wins');",
    replace: 'const journalSeq = 0;',
  },
  {
    fault: 'what lost stays pending',
    origin: 'S1-D03',
    file: SETTLE,
    find: 'yield* clearPending(scope.number, id, row.generation);\n      return { ...taken, decision, conflict',
    replace: 'return { ...taken, decision, conflict',
  },
  {
    fault: 'what lost against the remote stays on the device',
    origin: 'S1-D03, row 16',
    file: SETTLE,
    find: "case 'remote-deleted': {\n      const taken = yield* takeRemote(context, scope, id, base, remote);",
    replace:
      "case 'remote-deleted': {\n      const taken: Applied = { change: 'none' }; if (remote?.etag === '') yield* takeRemote(context, scope, id, base, remote); yield* setBase(scope, id, remote);",
  },
  {
    fault: 'a write that won follows the version before',
    origin: 'rule 2',
    file: SETTLE,
    find: 'yield* advance(scope, id, remote, isBehind ? base.lineage : undefined);',
    replace: '',
  },
  {
    fault: 'an acknowledgement found by reading back leaves the write pending',
    origin: 'rows 14, 15',
    file: SETTLE,
    find: 'yield* setBase(scope, id, remote);\n      yield* clearPending(scope.number, id, row.generation);\n      if (remote',
    replace: 'if (remote',
  },
  {
    fault: 'an edit of a document that was deleted makes it again',
    origin: 'S1-D11',
    file: DECIDE,
    find: "return local.baseEtag === undefined || local.anew ? 'recreate' : 'remote-deleted';",
    replace: "return local.baseEtag !== '' ? 'recreate' : 'remote-deleted';",
  },
  {
    fault: 'an earlier write of the device counts as the newest',
    origin: 'row 21, rule 5',
    file: DECIDE,
    find: "  if (isOwn) {\n    return 'follows';",
    replace: "  if (isOwn) {\n    return 'acknowledged';",
  },
  {
    fault: 'an earlier write of the device is a conflict',
    origin: 'rule 5, row 23',
    file: DECIDE,
    find: 'const isOwn = local.sent.includes(conflict.remote.write);',
    replace: 'const isOwn = local.sent.includes(`${conflict.remote.write} `);',
  },
  {
    fault: 'the remote always wins, and nobody says so',
    origin: 'S1-D03',
    file: DECIDE,
    find: 'return needsBase && writesIn',
    replace: "if (!needsBase) return 'equal'; return needsBase && writesIn",
  },
  {
    fault: 'a tombstone leaves the document on the device',
    origin: 'S1-D12, row 23',
    file: TAKE,
    find: 'yield* setBase(scope, id, remote);\n    return yield* removeLocal(scope, id);',
    replace: 'yield* setBase(scope, id, remote);\n    return NOTHING;',
  },
  {
    fault: 'a remote version is noted and not taken over',
    origin: 'row 5',
    file: TAKE,
    find: 'yield* putLocal(scope, document, remote.ts, base === undefined);\n  if (scope',
    replace: 'if (base === undefined) yield* putLocal(scope, document, remote.ts, base === undefined);\n  if (scope',
  },
  {
    fault: 'a remote version is taken over and not noted',
    origin: 'row 23',
    file: TAKE,
    find: "yield* setBase(scope, id, remote);\n  return { change: 'taken'",
    replace: "return { change: 'taken'",
  },
  {
    fault: 'a version that was already known is applied over what is pending',
    origin: 'S1-D06',
    file: APPLY,
    find: "if (row !== undefined) {\n        return { change: 'none', decision: 'follows', advanced: false };\n      }",
    replace: '',
  },
  {
    fault: 'a newer remote version is left aside while something is pending',
    origin: 'row 14',
    file: APPLY,
    find: 'return yield* settle(context, scope, { row, local, base, remote }, options);',
    replace: 'return NOTHING;',
  },
  {
    fault: 'a reconciliation deletes nothing',
    origin: 'S1-D11',
    file: RECONCILE,
    find: 'await this.#deleteMissing();',
    replace: '',
  },
  {
    fault: "one user's documents are asked for with another's",
    origin: 'S1-D08, S1-D16',
    file: 'sync/remote-session.ts',
    find: '.changes({ from, partitionKey: this.scope.partitionKey,',
    replace: '.changes({ from, partitionKey: undefined,',
  },
  {
    fault: 'a local write and its pending row are two transactions',
    origin: 'rows 17, 5, S1-D05',
    file: JOURNAL,
    find: 'yield* recordPending(scope.number, id, kind, write.position, clock.next(), database.runtime.nowMs(), base);',
    replace:
      'const [stamp, nowMs] = [clock.next(), database.runtime.nowMs()];\n    database.afterCommit(() => void database.write(() => recordPending(scope.number, id, kind, write.position, stamp, nowMs, base)).catch(() => undefined));',
  },
  {
    fault: 'a deletion is sent without a tombstone',
    origin: 'S1-D11, rule 7',
    file: SEND,
    find: 'body, lineage, operation: operationOf(document, base), bytes: size',
    replace: "body, lineage, operation: local.deleted ? { type: 'delete', id } : operationOf(document, base), bytes: size",
  },
  {
    fault: 'a document that is made again follows the version that is gone',
    origin: 'rule 7',
    file: SETTLE,
    find: 'yield* deleteBase(scope.number, id);\n      yield* rebasePending',
    replace: 'yield* rebasePending',
  },
  {
    fault: 'a document that is gone from the remote stays on the device',
    origin: 'S1-D11, row 16',
    file: TAKE,
    find: '      yield* deleteBase(scope.number, id);\n    }\n    return yield* removeLocal(scope, id);',
    replace: '      yield* deleteBase(scope.number, id);\n    }\n    return NOTHING;',
  },
  {
    fault: 'a cursor that was refused is kept',
    origin: 'row 22',
    file: 'sync/scope.ts',
    find: 'yield* updateScope(scope, { cursor: null, session: null,',
    replace: 'yield* updateScope(scope, { session: null,',
  },
  {
    fault: 'a remote that was restored from a backup is not noticed',
    origin: 'row 8',
    file: 'sync/epoch.ts',
    find: 'const isRestored = newest !== undefined &&',
    replace: 'const isRestored = newest === null &&',
  },
  {
    fault: 'what a restored remote forgot is taken for deleted',
    origin: 'row 8, rule 13',
    file: APPLY,
    find: 'return options.restored === true && base !== undefined',
    replace: 'return options.restored === true && base === null',
  },
  {
    fault: 'what a restored remote has gone back to is taken for news',
    origin: 'row 8, rule 13',
    file: 'sync/reclaim.ts',
    find: 'const isLater = remote.ts < base.ts || compareStamps(held.stamp, order.stamp) > 0;',
    replace: 'const isLater = base === null;',
  },
  {
    fault: 'the feed of a restored remote is followed from behind the end',
    origin: 'row 8',
    file: 'sync/scope.ts',
    find: '...(cursor === undefined ? {} : { cursor, session: null,',
    replace: '...(cursor === undefined ? {} : { session: null,',
  },
  {
    fault: 'a pending edit of what a restored remote forgot is given up',
    origin: 'row 8, rule 13',
    file: SETTLE,
    find: 'const isBehind = options.restored === true &&',
    replace: 'const isBehind = options.restored === null &&',
  },
  {
    fault: 'a marker is written whatever the remote holds',
    origin: 'row 8, rule 2',
    file: 'sync/markers.ts',
    find: "known === undefined ? { type: 'create', document } : { type: 'replace', document, ifMatch: known.etag }",
    replace: "known === null ? { type: 'create', document } : { type: 'upsert', document }",
  },
];
