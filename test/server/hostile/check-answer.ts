import type { Answer } from './answer-reader.ts';
import type { WireRequest } from './wire.ts';

/** What of the server must not be seen from outside. */
const INTERNALS = /node:internal|\.(?:ts|js):\d+|at (?:async )?\w+ \(|node_modules|C2y6yDjf5/u;

function errorProblem(text: string): string | undefined {
  let error: unknown;
  try {
    error = JSON.parse(text);
  } catch {
    return 'an error that is not JSON';
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || code === '' || typeof message !== 'string' || message === '') {
    return 'an error without code and message';
  }
  return INTERNALS.test(message) ? 'an error that shows the inside of the server' : undefined;
}

/** What is wrong with an answer, whatever was asked; `undefined` for nothing. */
export function answerProblem({ status, headers, body }: Answer, method: string): string | undefined {
  if (status >= 500) {
    return `a failure of the server: ${status}`;
  }
  if (method === 'HEAD' || status === 204 || status === 304) {
    return undefined;
  }
  const text = body.toString('utf8');
  if (status >= 400) {
    return headers.get('content-type') === 'application/json' ? errorProblem(text) : 'an error that is not said to be JSON';
  }
  if (status !== 200 && status !== 201 && status !== 207) {
    return `a status that the protocol does not have: ${status}`;
  }
  if (text !== '') {
    try {
      JSON.parse(text);
    } catch {
      return 'a body that is not JSON';
    }
  }
  return undefined;
}

/** What is wrong with an answer to this request. */
export function requestProblem(request: WireRequest, answer: Answer): string | undefined {
  const general = answerProblem(answer, request.method);
  if (general !== undefined) {
    return general;
  }
  return answer.status < 400 && request.authority !== 'signed' ? `success (${answer.status}) for a request that was not signed` : undefined;
}
