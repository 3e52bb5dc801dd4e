import { describe, expect, onTestFinished, test } from 'vitest';
import { answerProblem, requestProblem } from './check-answer.ts';
import { Draw } from './draw.ts';
import { BROKEN_CASES, SMUGGLED } from './framing.ts';
import { HostileConnection } from './hostile-connection.ts';
import { HostileServer } from './hostile-server.ts';
import { plainRequests } from './requests.ts';
import { runHostile } from './run-hostile.ts';
import { toWire } from './wire.ts';

async function started(): Promise<HostileServer> {
  const server = await HostileServer.start();
  onTestFinished(() => server.kill());
  return server;
}

test('the requests that the hostile ones are made of are right as they stand', async () => {
  const server = await started();
  const draw = new Draw(1);
  const connection = await HostileConnection.open(server.port);
  const plain = plainRequests([]);
  const wrong: string[] = [];
  for (const request of plain) {
    const wire = toWire(request, 'signed', draw);
    connection.write(wire.bytes);
    const { answers } = await connection.answers([wire.method]);
    const [answer] = answers;
    if (answer === undefined || !request.expected.includes(answer.status) || requestProblem(wire, answer) !== undefined) {
      wrong.push(`${wire.title}: ${answer?.status} ${answer?.body.toString('utf8').slice(0, 200)}`);
    }
  }
  connection.destroy();
  expect(wrong).toEqual([]);
});

describe('bytes whose borders two readers could see in different places', () => {
  test('are refused, or read as one request; what they hide is never carried out', async () => {
    const server = await started();
    const draw = new Draw(2);
    const found: Record<string, unknown> = {};
    for (const [name, make, maxSuccesses] of BROKEN_CASES) {
      const connection = await HostileConnection.open(server.port);
      connection.write(Buffer.from(make(draw), 'latin1'));
      connection.end();
      const { answers } = await connection.answers(Array.from({ length: 5 }, () => 'GET'));
      await connection.whenClosed();
      const problems = answers.flatMap((answer) => answerProblem(answer, 'GET') ?? []);
      const successes = answers.filter(({ status }) => status < 400).length;
      if (problems.length > 0 || successes > maxSuccesses || answers.length === 0) {
        found[name] = { problems, statuses: answers.map(({ status }) => status) };
      }
    }
    expect(found).toEqual({});
    const wire = toWire(
      {
        method: 'GET',
        path: `/dbs/fuzz/colls/c/docs/${SMUGGLED}`,
        headers: [['x-ms-documentdb-partitionkey', '["a"]']],
        body: undefined,
        expected: [404],
      },
      'signed',
      draw,
    );
    const connection = await HostileConnection.open(server.port);
    connection.write(wire.bytes);
    expect((await connection.answers(['GET'])).answers[0]?.status).toBe(404);
    connection.destroy();
    expect(server.stderr).toBe('');
  });
});

test('some thousand hostile requests: every answer is right or an error in JSON, and who means well is served all the time', async () => {
  const { statuses, songs, broken, slow } = await runHostile({ requests: 4000, seed: 20260101, connections: 6, slowClients: 2 });
  // The requests reach what they are about, and each way to be refused.
  for (const status of [200, 201, 204, 400, 401, 404, 405, 409, 412, 413, 431]) {
    expect([status, (statuses[status] ?? 0) > 0]).toEqual([status, true]);
  }
  expect(Object.keys(statuses).filter((status) => Number(status) >= 500)).toEqual([]);
  expect(Math.min(songs, broken, slow)).toBeGreaterThan(0);
}, 120_000);
