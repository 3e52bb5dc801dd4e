import { atOnce } from './at-once.ts';
import { PROGRAMS, startEmulator, type Emulator } from './emulators.ts';
import { sampleDocument } from './harness.ts';
import { WireClient, type WireRequest } from './wire-client.ts';

const LINK = 'dbs/bench/colls/docs';
const AT_ONCE = 16;

/** Perigee's server in memory and in a process of its own, with the container `docs`, and a client that stands for everybody else. */
export class ServedRemote {
  readonly server: Emulator;
  readonly #client: WireClient;

  private constructor(server: Emulator) {
    this.server = server;
    this.#client = new WireClient(server.url);
  }

  static async open(): Promise<ServedRemote> {
    const remote = new ServedRemote(await startEmulator(PROGRAMS.memory));
    await remote.#send({ method: 'POST', path: 'dbs', type: 'dbs', link: '', body: '{"id":"bench"}' });
    const definition = { id: 'docs', partitionKey: { paths: ['/owner'], kind: 'Hash', version: 2 }, defaultTtl: -1 };
    await remote.#send({ method: 'POST', path: 'dbs/bench/colls', type: 'colls', link: 'dbs/bench', body: JSON.stringify(definition) });
    return remote;
  }

  /** Writes a document, as some other device. */
  async upsert(document: ReturnType<typeof sampleDocument>): Promise<void> {
    await this.#send({
      method: 'POST',
      path: `${LINK}/docs`,
      type: 'docs',
      link: LINK,
      headers: { 'x-ms-documentdb-partitionkey': JSON.stringify([document.owner]), 'x-ms-documentdb-is-upsert': 'true' },
      body: JSON.stringify(document),
    });
  }

  /** Gives an owner `count` documents. */
  fill(owner: string, count: number): Promise<void> {
    return atOnce(AT_ONCE, count, (index) => this.upsert(sampleDocument(index, owner)));
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.server.stop();
  }

  async #send(request: WireRequest): Promise<void> {
    const { status, text } = await this.#client.send(request);
    if (status !== 200 && status !== 201) {
      throw new Error(`${request.method} ${request.path} was answered ${status}: ${text.slice(0, 300)}`);
    }
  }
}
