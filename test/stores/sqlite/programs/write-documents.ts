/*
 * Writes documents to a store until it has written as many as asked for, or for ever, and prints the id of each once it is acknowledged.
 * Arguments: path, prefix of the ids, count (0: for ever), kind of write (single, bulk).
 */
import { writeSync } from 'node:fs';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

const [path = '', prefix = '', count = '0', kind = 'single'] = process.argv.slice(2);
const backend = await openSqliteBackend({ path, busyTimeoutMs: 20_000 });
const store = await backend.container('test', 'items');
const total = Number(count);
const text = 'x'.repeat(200);
for (let index = 0; total === 0 || index < total;) {
  const some = Array.from({ length: kind === 'bulk' ? 20 : 1 }, (_, offset) => ({ id: `${prefix}${index + offset}`, pk: 'p', text }));
  index += some.length;
  if (kind === 'bulk') {
    await store.bulk(some.map((document) => ({ type: 'create', document })));
  } else {
    await store.create(some[0] as { id: string });
  }
  // Straight to the pipe: a buffered line could be lost with the process, and the test would then expect too little.
  writeSync(1, some.map(({ id }) => `${id}\n`).join(''));
}
await backend.close();
