import { parentPort } from 'node:worker_threads';
import { isPerigeeError } from '../../core/errors.ts';
import { connectBetterSqlite3, importBetterSqlite3 } from './better-sqlite3-driver.ts';
import type { SqliteConnection } from './driver.ts';
import type { WorkerAnswer, WorkerErrorData, WorkerRequest } from './worker-protocol.ts';

let connection: SqliteConnection | undefined;

function describe(error: unknown): WorkerErrorData {
  if (!isPerigeeError(error)) {
    return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), details: {}, causeMessage: undefined };
  }
  const { code, message, details, cause } = error;
  return { code, message, details, causeMessage: cause instanceof Error ? cause.message : undefined };
}

async function handle(request: WorkerRequest): Promise<unknown> {
  switch (request.type) {
    case 'open':
      connection = connectBetterSqlite3(await importBetterSqlite3(), request);
      return undefined;
    case 'step':
      return connection?.execute(request.step);
    case 'close':
      await connection?.close();
      connection = undefined;
      return undefined;
    default:
      return request satisfies never;
  }
}

/** Answers one request after the other, so that answers keep the order of the requests. */
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (request: WorkerRequest) => {
  last = last.then(async () => {
    let answer: WorkerAnswer;
    try {
      answer = { result: await handle(request) };
    } catch (error) {
      answer = { error: describe(error) };
    }
    parentPort?.postMessage(answer);
  });
});
