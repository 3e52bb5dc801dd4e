/* Opens and closes a store as often as asked for, and writes one document each time. Arguments: path, prefix of the ids, count. */
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

const [path = '', prefix = '', count = '0'] = process.argv.slice(2);
for (let index = 0; index < Number(count); index += 1) {
  const backend = await openSqliteBackend({ path, busyTimeoutMs: 60_000 });
  const store = await backend.container('test', 'items');
  await store.create({ id: `${prefix}${index}`, pk: 'p' });
  await backend.close();
  console.log(`${prefix}${index}`);
}
