/*
 * Writes, replaces and deletes documents that soon expire, until it is killed, and prints each change once it is acknowledged.
 * Arguments: path, prefix of the ids.
 */
import { writeSync } from 'node:fs';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

/** Straight to the pipe: a buffered line could be lost with the process, and the test would then expect too little. */
function tell(text: string): void {
  for (let isWritten = text === ''; !isWritten;) {
    try {
      writeSync(1, text);
      isWritten = true;
    } catch (error) {
      // The pipe is full until the reader has its turn.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        throw error;
      }
    }
  }
}

const [path = '', prefix = ''] = process.argv.slice(2);
const backend = await openSqliteBackend({ path, busyTimeoutMs: 20_000 });
const store = await backend.container('test', 'items');
for (let n = 0; ; n += 1) {
  const id = `${prefix}${n % 40}`;
  if (n % 10 === 7) {
    const documents = [0, 1, 2].map((index) => ({ id: `${prefix}batch-${index}`, pk: 'p', n }));
    await store.batch(
      'p',
      documents.map((document) => ({ type: 'upsert', document })),
    );
    tell(documents.map((document) => `put ${document.id} ${n}\n`).join(''));
  } else if (n % 5 === 4) {
    const { outcomes } = await store.bulk([{ type: 'delete', id, partitionKey: 'p' }]);
    tell(outcomes[0]?.ok === true ? `delete ${id} -1\n` : '');
  } else {
    const document = n % 3 === 0 ? { id: `${prefix}once-${n}`, pk: 'p', n, ttl: 1 } : { id, pk: 'p', n };
    await store.upsert(document);
    tell(`put ${document.id} ${n}\n`);
  }
}
