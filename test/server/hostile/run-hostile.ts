import { answerProblem, requestProblem } from './check-answer.ts';
import { Canary } from './canary.ts';
import { Draw } from './draw.ts';
import { brokenRequest, SMUGGLED } from './framing.ts';
import { HostileConnection } from './hostile-connection.ts';
import { HostileServer } from './hostile-server.ts';
import { mutate } from './mutate.ts';
import { CONTAINER, DATABASE, plainRequests, type PlainRequest } from './requests.ts';
import { dribble } from './slow-client.ts';
import { toWire, type WireRequest } from './wire.ts';

export interface HostileOptions {
  readonly requests: number;
  readonly seed: number;
  readonly connections: number;
  /** Clients that send a byte now and then, all the time. */
  readonly slowClients: number;
  readonly onProgress?: (counts: HostileCounts) => void;
}

/** How a run went. */
export interface HostileCounts {
  sent: number;
  /** Answers by status. */
  readonly statuses: Record<string, number>;
  /** Requests behind one whose answer ended the connection. */
  unanswered: number;
  broken: number;
  abandoned: number;
  slow: number;
  songs: number;
  /** Memory in use with nothing but the data, at the first look and at the last, in bytes. */
  firstBytes: number;
  lastBytes: number;
}

/** Between two looks at memory. */
const ROUND = 20_000;
/** Requests for which the server may warm up before memory counts. */
const WARM_UP = 2 * ROUND;
/** What caches of bounded size, and code that is compiled later, may take. */
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;

class Fleet {
  readonly #port: number;
  readonly #draw: Draw;
  readonly #plain: readonly PlainRequest[];
  readonly #counts: HostileCounts;
  #connection: HostileConnection | undefined;

  constructor(port: number, seed: string, plain: readonly PlainRequest[], counts: HostileCounts) {
    this.#port = port;
    this.#draw = new Draw(seed);
    this.#plain = plain;
    this.#counts = counts;
  }

  /** Sends some requests; gives how many. */
  async send(): Promise<number> {
    const kind = this.#draw.below(100);
    if (kind < 20) {
      return this.#sendBroken();
    }
    return kind < 22 ? this.#abandon() : this.#sendFramed();
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  #request(): WireRequest {
    const plain = this.#draw.pick(this.#plain);
    const request = this.#draw.chance(0.1) ? plain : mutate(plain, this.#draw);
    const authority = this.#draw.chance(0.7) ? 'signed' : this.#draw.pick(['none', 'wrong'] as const);
    return toWire(request, authority, this.#draw);
  }

  async #open(): Promise<HostileConnection> {
    if (this.#connection === undefined || this.#connection.closed) {
      this.#connection = await HostileConnection.open(this.#port);
    }
    return this.#connection;
  }

  async #sendFramed(): Promise<number> {
    const draw = this.#draw;
    const count = draw.chance(0.03) ? 100 : 1 + draw.size(31);
    const requests = Array.from({ length: count }, () => this.#request());
    const connection = await this.#open();
    const startedMs = Date.now();
    connection.write(Buffer.concat(requests.map(({ bytes }) => bytes)));
    const { answers } = await connection.answers(requests.map(({ method }) => method));
    for (const [index, answer] of answers.entries()) {
      const request = requests[index] as WireRequest;
      const problem = requestProblem(request, answer);
      if (problem !== undefined) {
        throw new Error(
          `${problem}, to ${request.title}: ${answer.body.toString('utf8').slice(0, 300)}\n${request.bytes.toString('latin1').slice(0, 3000)}`,
        );
      }
      this.#count(answer.status);
    }
    const closes = answers.at(-1)?.closes === true;
    // The server takes a body that is too large for some time only.
    if (answers.length < count && !closes && answers.at(-1)?.status !== 413) {
      const sent = requests.map(({ title, bytes }, index) => `${title}, ${bytes.length} bytes: ${answers[index]?.status ?? 'no answer'}`);
      throw new Error(
        `The connection from port ${connection.localPort} ended without an answer after ${Date.now() - startedMs} ms:\n${sent.join('\n')}`,
      );
    }
    this.#counts.unanswered += count - answers.length;
    if (answers.length < count || closes) {
      this.close();
    }
    return count;
  }

  async #sendBroken(): Promise<number> {
    const { name, bytes, maxSuccesses } = brokenRequest(this.#draw);
    const connection = await HostileConnection.open(this.#port);
    connection.write(bytes);
    connection.end();
    const { answers } = await connection.answers(Array.from({ length: 20 }, () => 'GET')).catch((cause: Error) => {
      throw new Error(`${name}: ${cause.message}`, { cause });
    });
    await connection.whenClosed();
    for (const answer of answers) {
      const problem = answerProblem(answer, 'GET');
      if (problem !== undefined) {
        throw new Error(`${problem}, to ${name}: ${answer.body.toString('utf8').slice(0, 300)}`);
      }
      this.#count(answer.status);
    }
    const successes = answers.filter(({ status }) => status < 400).length;
    if (successes > maxSuccesses) {
      throw new Error(`${successes} successes for ${name}.`);
    }
    this.#counts.broken += 1;
    return 1;
  }

  /** Goes away in the middle of a request, or before its answer. */
  async #abandon(): Promise<number> {
    const { bytes } = this.#request();
    const connection = await HostileConnection.open(this.#port);
    connection.write(bytes.subarray(0, this.#draw.below(bytes.length + 1)));
    if (this.#draw.chance(0.5)) {
      await new Promise((resolve) => setTimeout(resolve, this.#draw.below(5)));
    }
    connection.destroy();
    this.#counts.abandoned += 1;
    return 1;
  }

  #count(status: number): void {
    this.#counts.statuses[status] = (this.#counts.statuses[status] ?? 0) + 1;
  }
}

/** Tokens as the server gives them: an etag of the feed and a continuation. */
async function tokensOf(port: number): Promise<string[]> {
  const connection = await HostileConnection.open(port);
  const draw = new Draw(0);
  const asked = plainRequests([]).filter(
    ({ path, headers }) => path.endsWith('/docs') && headers.some(([name]) => name === 'x-ms-max-item-count'),
  );
  const requests = asked.map((request) => toWire(request, 'signed', draw));
  connection.write(Buffer.concat(requests.map(({ bytes }) => bytes)));
  const { answers } = await connection.answers(requests.map(({ method }) => method));
  connection.destroy();
  return answers.flatMap(({ headers }) => [headers.get('etag'), headers.get('x-ms-continuation')].filter((token) => token !== undefined));
}

/** Whether a request that stood in the body of another one was carried out. */
async function wasSmuggled(port: number): Promise<boolean> {
  const connection = await HostileConnection.open(port);
  const path = `/dbs/${DATABASE}/colls/${CONTAINER}/docs/${SMUGGLED}`;
  const { bytes, method } = toWire(
    { method: 'GET', path, headers: [['x-ms-documentdb-partitionkey', '["a"]']], body: undefined, expected: [] },
    'signed',
    new Draw(0),
  );
  connection.write(bytes);
  const { answers } = await connection.answers([method]);
  connection.destroy();
  return answers[0]?.status !== 404;
}

/**
 * Sends hostile requests over several connections to a server in a process of its own, while a canary works with it through the SDK.
 *
 * @throws at the first answer that is wrong, when the server dies, hangs, tells its operator of a failure, grows, or fails the canary
 */
export async function runHostile({ requests, seed, connections, slowClients, onProgress }: HostileOptions): Promise<HostileCounts> {
  const counts: HostileCounts = {
    sent: 0,
    statuses: {},
    unanswered: 0,
    broken: 0,
    abandoned: 0,
    slow: 0,
    songs: 0,
    firstBytes: 0,
    lastBytes: 0,
  };
  const server = await HostileServer.start();
  const canary = new Canary(server.port);
  let running = true;
  let failure: unknown;
  const check = (): void => {
    const problem =
      failure ??
      canary.problem ??
      (server.isAlive ? undefined : new Error(`The server died: ${server.stderr}`)) ??
      (server.stderr === '' ? undefined : new Error(server.stderr));
    if (problem !== undefined) {
      throw problem;
    }
  };
  const slow = Array.from({ length: slowClients }, async (_, index) => {
    const draw = new Draw(`${seed} slow ${index}`);
    while (running) {
      await dribble(server.port, draw);
      counts.slow += 1;
    }
  });
  const watched = Promise.all(slow).catch((error: unknown) => {
    failure ??= error;
  });
  try {
    await canary.start();
    const plain = plainRequests(await tokensOf(server.port));
    const fleets = Array.from({ length: connections }, (_, index) => new Fleet(server.port, `${seed} ${index}`, plain, counts));
    for (let done = 0; done < requests;) {
      const goal = Math.min(requests, done + ROUND);
      const sail = async (fleet: Fleet): Promise<void> => {
        while (done < goal) {
          const sent = await fleet.send();
          done += sent;
          counts.sent += sent;
          check();
          onProgress?.(counts);
        }
      };
      await Promise.all(fleets.map(sail));
      if (await wasSmuggled(server.port)) {
        throw new Error('A request in the body of another one was carried out.');
      }
      await canary.stop();
      check();
      counts.songs = canary.songs;
      counts.lastBytes = await server.reset();
      if (done <= WARM_UP) {
        counts.firstBytes = counts.lastBytes;
      } else if (counts.lastBytes > counts.firstBytes + MAX_GROWTH_BYTES) {
        throw new Error(
          `The memory of the server grows: from ${counts.firstBytes} to ${counts.lastBytes} bytes, with the same data in it.`,
        );
      }
      await canary.start();
    }
    for (const fleet of fleets) {
      fleet.close();
    }
    running = false;
    await watched;
    await canary.stop();
    check();
    const code = await server.stop();
    if (code !== 0) {
      throw new Error(`The server ended with ${code}: ${server.stderr}`);
    }
    return counts;
  } finally {
    running = false;
    server.kill();
  }
}
