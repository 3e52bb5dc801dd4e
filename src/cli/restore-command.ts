import type { Command } from 'commander';
import { PerigeeError } from '../core/errors.ts';
import type { Backend } from '../store/backend.ts';
import type { SnapshotSummary } from '../store/snapshot/snapshot-record.ts';
import { readSnapshot } from '../store/snapshot/snapshot-stream.ts';
import { keyOf, openStore } from './open-store.ts';
import { ProgressPainter } from './progress-painter.ts';
import { callAdmin, jsonOf } from './snapshot/admin-request.ts';
import { openInput } from './snapshot/input-file.ts';
import { interruptible } from './snapshot/interruption.ts';
import { summaryText } from './snapshot/summary-text.ts';
import { parseStoreAddress } from './store-address.ts';

interface RestoreCommandOptions {
  readonly replace?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const HELP = `
Examples:
  perigee restore shop.ndjson.gz sqlite:.perigee/data.sqlite
  perigee restore shop.ndjson http://127.0.0.1:8081 --replace     into a server that is running
  perigee snapshot shop.sqlite | perigee restore - copy.sqlite

All of the snapshot is restored or nothing. The store must be empty, unless --replace is given: then everything it holds is gone afterwards.
Of a server, PERIGEE_KEY holds the master key; requests are signed, and the key is never sent.
"perigee serve --restore FILE" starts a server from a snapshot.`;

/** Adds `perigee restore`: a snapshot back into a store or a running server. */
export function addRestoreCommand(program: Command): void {
  program
    .command('restore')
    .description('Restore a snapshot into a store or a running server, all of it or nothing.')
    .argument('<file>', 'a snapshot, compressed or not; - for standard input')
    .argument('<store>', 'sqlite:PATH (or a path that ends in .db or .sqlite), file:FOLDER, or the address of a server of Perigee')
    .option('--replace', 'put the snapshot in the place of everything that the store holds')
    .option('--json', 'print what was restored as one line of JSON')
    .addHelpText('after', HELP)
    .action(restore);
}

/** Restores bytes into an open backend. @throws what {@link Backend.restore} throws */
export async function restoreInto(
  backend: Backend,
  bytes: AsyncIterable<Uint8Array>,
  replace: boolean,
  signal?: AbortSignal,
): Promise<SnapshotSummary> {
  const painter = new ProgressPainter();
  try {
    return await backend.restore(readSnapshot(bytes), {
      replace,
      signal,
      onProgress: (progress) => painter.paint(() => summaryText(progress)),
    });
  } finally {
    painter.clear();
  }
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

async function restore(file: string, store: string, { replace = false, json = false }: RestoreCommandOptions): Promise<void> {
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
      const { backend } = await openStore(store);
      try {
        summary = await restoreInto(backend, bytes, replace, signal);
      } finally {
        await backend.close();
      }
    }
    console.log(json ? JSON.stringify(summary) : `Restored ${summaryText(summary)}.`);
  });
}
