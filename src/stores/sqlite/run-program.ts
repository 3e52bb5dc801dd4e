import type { Program, SqliteConnection, SqliteStep } from './driver.ts';

/** Runs a program on a driver that answers at once. */
export function runSync<T>(execute: (step: SqliteStep) => unknown, program: Program<T>): T {
  let next = program.next();
  while (next.done !== true) {
    let result: unknown;
    try {
      result = execute(next.value);
    } catch (error) {
      next = program.throw(error);
      continue;
    }
    next = program.next(result);
  }
  return next.value;
}

/** Runs a program on any driver, waiting for each statement. */
export async function runAsync<T>(connection: Pick<SqliteConnection, 'execute'>, program: Program<T>): Promise<T> {
  let next = program.next();
  while (next.done !== true) {
    let result: unknown;
    try {
      result = await connection.execute(next.value);
    } catch (error) {
      next = program.throw(error);
      continue;
    }
    next = program.next(result);
  }
  return next.value;
}

/** Runs a program in a transaction of its own on a connection. */
export async function runTransaction<T>(connection: SqliteConnection, create: () => Program<T>): Promise<T> {
  const step = (sql: string): Promise<unknown> => connection.execute({ mode: 'run', sql, parameters: [] });
  await step('BEGIN IMMEDIATE');
  try {
    const result = await runAsync(connection, create());
    await step('COMMIT');
    return result;
  } catch (error) {
    await step('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
