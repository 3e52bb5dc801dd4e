import { mkdirSync } from 'node:fs';
import { startEmulator, type Emulator } from './emulators.ts';
import { sampleDocument } from './harness.ts';

/** The server of PouchDB over leveldb, in a process of its own. */
export class PouchRemote {
  readonly server: Emulator;

  private constructor(server: Emulator) {
    this.server = server;
  }

  static async open(folder: string): Promise<PouchRemote> {
    mkdirSync(folder, { recursive: true });
    return new PouchRemote(await startEmulator(['bench/children/pouch-server-child.mjs', JSON.stringify({ folder })]));
  }

  /** Address of one of its databases. */
  url(database: string): string {
    return `${this.server.url}/${database}`;
  }

  /** Makes a database with `count` documents. */
  async fill(database: string, count: number): Promise<void> {
    await this.#send('PUT', database);
    for (let start = 0; start < count; start += 1000) {
      const docs = Array.from({ length: 1000 }, (_, index) => {
        const { id, ...rest } = sampleDocument(start + index, 'owner-1');
        return { _id: id, ...rest };
      });
      await this.#send('POST', `${database}/_bulk_docs`, { docs });
    }
  }

  close(): Promise<void> {
    return this.server.stop();
  }

  async #send(method: string, path: string, body?: object): Promise<void> {
    const answer = await fetch(`${this.server.url}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path} was answered ${answer.status}: ${text.slice(0, 300)}`);
    }
  }
}
