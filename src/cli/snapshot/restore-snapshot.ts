import { PerigeeError } from '../../core/errors.ts';
import type { SnapshotSummary } from '../../store/snapshot/snapshot-record.ts';
import { keyOf, openStore } from '../open-store.ts';
import { parseStoreAddress } from '../store-address.ts';
import { callAdmin, jsonOf } from './admin-request.ts';
import { openInput } from './input-file.ts';
import { interruptible } from '../interruption.ts';
import { restoreInto } from './restore-into.ts';
import { summaryText } from './summary-text.ts';

/** What the command line of `perigee restore` says. */
export interface RestoreCommandOptions {
  readonly replace?: boolean | undefined;
  readonly json?: boolean | undefined;
}

async function restoreRemote(
  endpoint: string,
  body: AsyncIterable<Uint8Array>,
  replace: boolean,
  signal: AbortSignal,
): Promise<SnapshotSummary> {
  const key = await keyOf(endpoint, undefined);
  const route = replace ? 'restore?replace=true' : 'restore';
  const response = await callAdmin({ endpoint, key, method: 'POST', route, body, signal });
  return (await jsonOf(response, endpoint)) as unknown as SnapshotSummary;
}

/** Restores a snapshot into a store or a running server. */
export async function restoreSnapshot(
  file: string,
  store: string,
  { replace = false, json = false }: RestoreCommandOptions,
): Promise<void> {
  const address = parseStoreAddress(store);
  if (address.kind === 'memory') {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot restore into memory: it is gone when the program ends. Use serve --store memory --restore.',
    );
  }
  await interruptible('nothing was restored.', async (signal) => {
    // Before a store is made for a file that is not there.
    const bytes = await openInput(file, signal);
    let summary: SnapshotSummary;
    if (address.kind === 'cosmos') {
      summary = await restoreRemote(address.endpoint, bytes, replace, signal);
    } else {
      const { backend, close } = await openStore(store);
      try {
        summary = await restoreInto(backend, bytes, replace, signal);
      } finally {
        await close();
      }
    }
    console.log(json ? JSON.stringify(summary) : `Restored ${summaryText(summary)}.`);
  });
}
