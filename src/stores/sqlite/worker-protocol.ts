import type { SqliteStep } from './driver.ts';

/** What the worker thread is told; each request has one answer, in order. */
export type WorkerRequest =
  | { readonly type: 'open'; readonly path: string; readonly readOnly: boolean; readonly busyTimeoutMs: number }
  | { readonly type: 'step'; readonly step: SqliteStep }
  | { readonly type: 'close' };

/** An error as it crosses the thread boundary. */
export interface WorkerErrorData {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly causeMessage: string | undefined;
}

export type WorkerAnswer = { readonly result: unknown } | { readonly error: WorkerErrorData };
