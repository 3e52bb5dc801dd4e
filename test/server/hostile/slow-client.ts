import { answerProblem } from './check-answer.ts';
import type { Draw } from './draw.ts';
import { HostileConnection } from './hostile-connection.ts';
import { plainRequests } from './requests.ts';
import { toWire } from './wire.ts';

/** Sends a request a few bytes at a time, too slowly, until the server has had enough: it must say so and end the connection. */
export async function dribble(port: number, draw: Draw): Promise<void> {
  const bodies = plainRequests([]).filter(({ body, isUnsigned }) => body !== undefined && isUnsigned !== true);
  const { bytes, method } = toWire(draw.pick(bodies), 'signed', draw);
  const headEnd = bytes.indexOf('\r\n\r\n') + 4;
  const connection = await HostileConnection.open(port);
  // Slow from the start, or only in the body.
  let at = draw.chance(0.5) ? headEnd : 0;
  connection.write(bytes.subarray(0, at));
  const timer = setInterval(() => {
    // The last byte never comes.
    if (at < bytes.length - 1) {
      connection.write(bytes.subarray(at, at + 1));
      at += 1;
    }
  }, 100);
  try {
    const { answers } = await connection.answers([method]);
    const [answer] = answers;
    if (answer?.status !== 408 || answerProblem(answer, method) !== undefined) {
      throw new Error(`A client that is too slow gets ${answer?.status ?? 'no answer'}, and not 408.`);
    }
    connection.end();
    await connection.whenClosed();
  } finally {
    clearInterval(timer);
    connection.destroy();
  }
}
