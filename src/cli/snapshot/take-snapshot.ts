import { PerigeeError } from '../../core/errors.ts';
import { parseMoment } from '../../server/admin/parse-moment.ts';
import type { SnapshotRecord, SnapshotSummary } from '../../store/snapshot/snapshot-record.ts';
import { readSnapshot, writeSnapshot } from '../../store/snapshot/snapshot-stream.ts';
import { keyOf, openStore } from '../open-store.ts';
import { ProgressPainter } from '../progress-painter.ts';
import { bytesOf, callAdmin } from './admin-request.ts';
import { interruptible } from '../interruption.ts';
import { writeWhole } from './output-file.ts';
import { summaryText } from './summary-text.ts';
import { parseStoreAddress } from '../store-address.ts';

/** What the command line of `perigee snapshot` says. */
export interface SnapshotCommandOptions {
  readonly output?: string | undefined;
  readonly asOf?: string | undefined;
  readonly gzip?: boolean | undefined;
  readonly json?: boolean | undefined;
}

function asOfMsOf(text: string | undefined): number | undefined {
  const asOfMs = text === undefined ? undefined : parseMoment(text);
  if (text !== undefined && asOfMs === undefined) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot take a snapshot as of ${JSON.stringify(text)}: give a date with its zone, such as 2026-01-31T12:00:00Z, or milliseconds since 1970.`,
    );
  }
  return asOfMs;
}

/** Gives the records of a server, and calls `onProgress` as a backend does. */
async function* remoteRecords(
  endpoint: string,
  asOfMs: number | undefined,
  signal: AbortSignal,
  onProgress: (progress: SnapshotSummary) => void,
): AsyncGenerator<SnapshotRecord> {
  const key = await keyOf(endpoint, undefined);
  const route = asOfMs === undefined ? 'snapshot' : `snapshot?asOf=${asOfMs}`;
  const response = await callAdmin({ endpoint, key, method: 'GET', route, signal });
  const counts = { databases: 0, containers: 0, documents: 0, changes: 0 };
  let isWhole = false;
  for await (const record of readSnapshot(bytesOf(response, endpoint))) {
    if (record.kind === 'end') {
      isWhole = true;
    } else if (record.kind in { database: 1, container: 1, document: 1, change: 1 }) {
      counts[`${record.kind}s` as keyof typeof counts] += 1;
    }
    onProgress({ ...counts });
    yield record;
  }
  if (!isWhole) {
    throw new PerigeeError('BAD_RESPONSE', `What answers at ${JSON.stringify(endpoint)} did not give a whole snapshot.`);
  }
}

/** Writes everything that a store or a running server holds into one file. */
export async function takeSnapshot(store: string, options: SnapshotCommandOptions): Promise<void> {
  const { output, json = false } = options;
  const asOfMs = asOfMsOf(options.asOf);
  const address = parseStoreAddress(store);
  if (address.kind === 'memory') {
    throw new PerigeeError('INVALID_OPTION', 'Cannot take a snapshot of memory: it holds nothing outside of one program.');
  }
  if (output === undefined && (json || process.stdout.isTTY === true)) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot write the snapshot to the terminal: give a file by --output.');
  }
  await interruptible('no file was written.', async (signal) => {
    const painter = new ProgressPainter();
    let summary: SnapshotSummary = { databases: 0, containers: 0, documents: 0, changes: 0 };
    const onProgress = (progress: SnapshotSummary): void => {
      summary = progress;
      painter.paint(() => summaryText(progress));
    };
    const write = async (records: AsyncIterable<SnapshotRecord>): Promise<void> => {
      const bytes = writeSnapshot(records, { gzip: options.gzip === true || output?.endsWith('.gz') === true });
      await (output === undefined ? writeOut(bytes) : writeWhole(output, bytes));
    };
    try {
      if (address.kind === 'cosmos') {
        await write(remoteRecords(address.endpoint, asOfMs, signal, onProgress));
      } else {
        const { backend, close } = await openStore(store, { mustExist: true, readOnly: true });
        try {
          await write(backend.snapshot({ asOfMs, signal, onProgress }));
        } finally {
          await close();
        }
      }
    } finally {
      painter.clear();
    }
    if (json) {
      console.log(JSON.stringify({ file: output, ...summary }));
    } else if (output !== undefined) {
      console.log(`${output}: ${summaryText(summary)}`);
    }
  });
}

/** Writes to standard output, no faster than it is read; ends in peace where the reader has seen enough. */
async function writeOut(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const { stdout } = process;
  for await (const chunk of bytes) {
    const error = await new Promise<Error | null | undefined>((resolve) => {
      stdout.write(chunk, resolve);
    });
    if ((error as NodeJS.ErrnoException | null | undefined)?.code === 'EPIPE') {
      return;
    }
    if (error !== undefined && error !== null) {
      throw error;
    }
  }
}
