import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryBudget } from '../../src/server/gate/memory-budget.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import type { DatabaseInfo } from '../../src/store/backend.ts';
import { MemoryBackend } from '../../src/stores/memory/index.ts';
import { serve } from './served.ts';
import { sign } from './sign.ts';

async function open(port: number): Promise<Socket & { answer: () => string }> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return Object.assign(socket, { answer: () => answer });
}

function head(method: string, path: string, ...headers: readonly string[]): string {
  const date = new Date().toUTCString();
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    `x-ms-date: ${date}`,
    `Authorization: ${sign(method, path, date)}`,
    ...headers,
    '',
    '',
  ].join('\r\n');
}

const statuses = (answer: string): string[] => Array.from(answer.matchAll(/HTTP\/1\.1 (\d{3}) /gu), (match) => match[1] as string);

/** A backend whose list of databases waits until it is let go. */
class SlowBackend extends MemoryBackend {
  letGo: () => void = () => undefined;
  entered = 0;
  readonly #gate = new Promise<void>((resolve) => (this.letGo = resolve));

  protected override async _listDatabases(): Promise<readonly DatabaseInfo[]> {
    this.entered += 1;
    await this.#gate;
    return super._listDatabases();
  }
}

describe('requests of one connection', () => {
  test('are answered in order, one after the other, and what is not HTTP in its turn', async () => {
    const backend = new SlowBackend();
    const { server } = await serve({ backend });
    const socket = await open(server.port);
    socket.write(`${head('GET', '/dbs')}${head('GET', '/dbs')}${head('GET', '/dbs/none')}no request\r\n\r\n`);
    await expect.poll(() => backend.entered).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([backend.entered, socket.answer()]).toEqual([1, '']);
    backend.letGo();
    await once(socket, 'close');
    expect(statuses(socket.answer())).toEqual(['200', '200', '404', '400']);
    expect(socket.answer()).toMatch(/Connection: close\r\n\r\n\{"code":"BadRequest"[^]*\}$/u);
  });

  test('that are too many are answered up to the limit, and one is told why', async () => {
    const backend = new SlowBackend();
    const { server } = await serve({ backend });
    const socket = await open(server.port);
    socket.write(head('GET', '/dbs') + head('GET', '/dbs/none').repeat(200));
    await expect.poll(() => backend.entered).toBe(1);
    backend.letGo();
    await once(socket, 'close');
    expect(statuses(socket.answer())).toEqual(['200', ...Array.from({ length: 64 }, () => '404'), '429']);
  });

  test('half of a request is refused when nothing more can come, and those before it are answered', async () => {
    const { server } = await serve();
    const socket = await open(server.port);
    socket.end(`${head('GET', '/dbs')}${head('POST', '/dbs', 'Content-Length: 100')}{"id":`);
    await once(socket, 'close');
    expect(statuses(socket.answer())).toEqual(['200', '400']);
  });
});

describe('a body', () => {
  test('that announces too much is refused before any of it comes, and never asked for', async () => {
    const { server } = await serve();
    for (const expectation of [[], ['Expect: 100-continue']]) {
      const socket = await open(server.port);
      socket.write(head('POST', '/dbs', 'Content-Length: 3000000', ...expectation));
      await expect.poll(() => statuses(socket.answer())).toEqual(['413']);
      expect(socket.answer()).toContain('Request size is too large');
    }
  });

  test('is asked for where the client waits for that, and only with a right signature', async () => {
    const { server, backend } = await serve();
    const asked = await open(server.port);
    asked.write(head('POST', '/dbs', 'Content-Length: 12', 'Expect: 100-continue'));
    await expect.poll(() => statuses(asked.answer())).toEqual(['100']);
    asked.write('{"id":"app"}');
    await expect.poll(() => statuses(asked.answer())).toEqual(['100', '201']);
    const refused = await open(server.port);
    refused.write(head('POST', '/dbs', 'Content-Length: 12', 'Expect: 100-continue').replace('sig', 'gis'));
    await once(refused, 'close');
    expect(statuses(refused.answer())).toEqual(['401']);
    expect((await backend.listDatabases()).map(({ id }) => id)).toEqual(['app']);
  });

  test('that nobody reads is not taken for ever', async () => {
    const { server } = await serve({ requestTimeoutMs: 300 });
    const socket = await open(server.port);
    socket.write(head('GET', '/dbs', 'Content-Length: 999999999'));
    const timer = setInterval(() => socket.write('x'.repeat(1000)), 20);
    // With bytes on their way, the end may be a reset.
    socket.on('error', () => undefined);
    await new Promise((resolve) => {
      socket.once('close', resolve);
    });
    clearInterval(timer);
    expect(statuses(socket.answer())).toEqual(['200']);
  });
});

describe('clients that are slow', () => {
  test('with their headers or their body get 408', async () => {
    const { server } = await serve({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const headers = await open(server.port);
    headers.write('GET / HTTP/1.1\r\nHost: lo');
    const body = await open(server.port);
    body.write(`${head('POST', '/dbs', 'Content-Length: 10')}{`);
    await Promise.all([once(headers, 'close'), once(body, 'close')]);
    expect([headers, body].map((socket) => statuses(socket.answer()))).toEqual([['408'], ['408']]);
    expect(body.answer()).toContain('"code":"RequestTimeout"');
  });

  test('and never take their answer are cut off', async () => {
    const { server, client } = await serve({ requestTimeoutMs: 200 });
    const { database } = await client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
    for (let index = 0; index < 10; index += 1) {
      await container.items.create({ id: String(index), k: 'a', text: 'x'.repeat(1_000_000) });
    }
    const socket = await open(server.port);
    socket.pause();
    socket.write(head('GET', '/dbs/app/colls/c/docs').repeat(4));
    const cut = new Promise((resolve) => {
      socket.once('close', resolve);
      socket.once('error', resolve);
    });
    // What the kernel holds has to be taken to see the end; it is less than was asked for.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    socket.resume();
    await cut;
    expect(socket.answer().length).toBeLessThan(35_000_000);
  });
});

test('connections beyond the limit are closed, and the operator is told', async () => {
  const logged: string[] = [];
  const { server } = await serve({ maxConnections: 2, logger: { log: (level, message) => logged.push(`${level} ${message}`) } });
  const first = await open(server.port);
  const second = await open(server.port);
  const third = await open(server.port);
  await once(third, 'close');
  expect(logged).toEqual(['warn connections are refused: there are 2 already']);
  for (const socket of [first, second]) {
    socket.write(head('GET', '/dbs'));
    await expect.poll(() => statuses(socket.answer())).toEqual(['200']);
  }
});

describe('the memory of requests under way', () => {
  test('is given in turn, and what does not get any in five seconds is told to come again', async () => {
    const runtime = new SimulatedRuntime();
    const budget = new MemoryBudget(100, runtime);
    expect(budget.reserve(60)).toBeUndefined();
    const order: string[] = [];
    const large = Promise.resolve(budget.reserve(80)).then(
      () => order.push('large'),
      (error: { code: string }) => order.push(error.code),
    );
    const small = Promise.resolve(budget.reserve(10)).then(() => order.push('small'));
    await runtime.settle();
    expect(order).toEqual([]);
    await runtime.advance(5000);
    expect(order).toEqual(['THROTTLED', 'small']);
    const next = Promise.resolve(budget.reserve(80)).then(() => order.push('next'));
    budget.release(60);
    await Promise.all([large, small, next]);
    expect(order).toEqual(['THROTTLED', 'small', 'next']);
    budget.release(90);
    expect(budget.usedBytes).toBe(0);
    // Whatever is asked for is given when nobody else has any.
    expect(budget.reserve(1000)).toBeUndefined();
  });

  test('makes bodies wait for each other in a server', async () => {
    const { server } = await serve({ maxBodyBytes: 1000, maxInFlightBytes: 1000 });
    const first = await open(server.port);
    first.write(`${head('POST', '/dbs', 'Content-Length: 600')}{"id":"first"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await open(server.port);
    const body = '{"id":"second"}';
    second.write(`${head('POST', '/dbs', `Content-Length: ${600}`)}${body.padEnd(600)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(second.answer()).toBe('');
    first.write(`}${' '.repeat(600 - 14)}`);
    await expect.poll(() => [first, second].map((socket) => statuses(socket.answer()))).toEqual([['201'], ['201']]);
  });
});
