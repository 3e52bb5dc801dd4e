import type { Connection, PoolClient, Submittable } from 'pg';

/** What of a connection of `pg` takes part in a copy; the driver has it for programs such as `pg-copy-streams`. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Statements of which the last is a `COPY … FROM STDIN`, as the driver runs a query of another kind. */
class CopyIn implements Submittable {
  readonly #text: string;
  readonly #data: Buffer;
  readonly #settle: (error?: Error) => void;

  constructor(text: string, data: Buffer, settle: (error?: Error) => void) {
    this.#text = text;
    this.#data = data;
    this.#settle = settle;
  }

  submit(connection: Connection): void {
    (connection as unknown as CopyConnection).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {
    // Each statement says so, and the server is ready once after all of them.
  }

  handleReadyForQuery(): void {
    this.#settle();
  }

  /** An error of the server, which drops what is left of the data, or the end of the connection. Nothing else is heard then. */
  handleError(error: Error): void {
    this.#settle(error);
  }
}

/** Runs statements without values, of which the last is a `COPY … FROM STDIN` that takes `data`. @throws what the driver throws */
export function copyIn(client: PoolClient, text: string, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(text, data, (error) => (error === undefined ? resolve() : reject(error))));
  });
}
