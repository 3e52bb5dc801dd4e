/**
 * Opens files of devices as somebody without privileges, writes, syncs, and prints the outcome or the code of the refusal of each.
 * Arguments: endpoint, paths.
 */
import { isPerigeeError } from '../../src/core/errors.ts';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';

const [endpoint = '', ...paths] = process.argv.slice(2);
const remote = await openCosmosBackend({ endpoint, key: WELL_KNOWN_KEY });
// Everything is loaded by now, so the sources need not be readable by others; root's privileges would hide what is tested.
await (await openSqliteBackend({ path: ':memory:' })).close();
await remote.listDatabases();
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(65534);
  process.setuid?.(65534);
}

async function outcomeOf(path: string): Promise<string> {
  try {
    const backend = await openSqliteBackend({ path });
    const engine = await SyncEngine.open({
      backend,
      user: 'ada',
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container) => remote.container('app', container),
    });
    await engine.store('notes').create({ id: 'unprivileged', owner: 'ada' });
    const { outcome, error } = await engine.sync();
    await engine.close();
    await backend.close();
    return error?.code ?? outcome;
  } catch (error) {
    return isPerigeeError(error) ? error.code : String(error);
  }
}

for (const path of paths) {
  console.log(await outcomeOf(path));
}
await remote.close();
