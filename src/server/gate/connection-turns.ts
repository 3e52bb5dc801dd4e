import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A request that waits, or is being answered. */
interface Turn {
  readonly request: IncomingMessage;
  readonly start: () => void;
}

/** The requests of one connection. */
interface Line {
  /** Goes on behind a response that is written; one function for all of them. */
  readonly next: () => void;
  /** What is being answered; `undefined` between two requests, and behind the last. */
  current: IncomingMessage | undefined;
  /** What was answered last. */
  answered: IncomingMessage | undefined;
  readonly waiting: Turn[];
  /** What is done when all are answered, and ends the connection; nothing more is taken then. */
  last: (() => void) | undefined;
}

/**
 * Answers the requests of one connection one after the other, as a client that sends several without waiting expects.
 *
 * A client that sends and never reads then holds one answer, not hundreds, and cannot fill the memory with requests that wait.
 */
export class ConnectionTurns {
  readonly #lines = new WeakMap<Duplex, Line>();
  readonly #maxWaiting: number;

  /** @param maxWaiting requests that may wait on one connection */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Calls `work` when all earlier responses of the connection are written. Where too many wait already, `refuse` is called in its place, when
   * its turn comes, and all that follows on the connection is forgotten.
   */
  run(request: IncomingMessage, response: ServerResponse, work: () => void, refuse: () => void): void {
    const { socket } = request;
    const line = this.#lineOf(socket);
    if (line.last !== undefined) {
      // The connection ends before this one's turn.
    } else if (line.current === undefined) {
      line.current = request;
      start(line, response, work);
    } else if (line.waiting.length < this.#maxWaiting) {
      line.waiting.push({ request, start: () => start(line, response, work) });
    } else {
      socket.pause();
      line.last = () => start(line, response, refuse);
    }
  }

  /**
   * Calls `work`, which ends the connection, when every request that came whole is answered: what came last can be half a request, whose rest
   * will never come. It is told whether that one was answered already, so that nobody takes what is said about it for the answer to the next.
   */
  runLast(socket: Duplex, work: (isAnswered: boolean) => void): void {
    const line = this.#lineOf(socket);
    if (line.last !== undefined) {
      return;
    }
    if (line.waiting.at(-1)?.request.complete === false) {
      line.waiting.pop();
    }
    line.last = () => work(false);
    if (line.current === undefined) {
      work(line.answered?.complete === false);
    } else if (line.waiting.length === 0 && !line.current.complete) {
      line.current = undefined;
      work(false);
    }
  }

  /** Nothing more is taken of a connection: what is being answered is its last. */
  close(socket: Duplex): void {
    const line = this.#lines.get(socket);
    if (line?.current !== undefined) {
      line.waiting.length = 0;
      line.last ??= () => undefined;
    }
  }

  #lineOf(socket: Duplex): Line {
    let line = this.#lines.get(socket);
    if (line === undefined) {
      line = newLine();
      this.#lines.set(socket, line);
    }
    return line;
  }
}

function newLine(): Line {
  const line: Line = { next: () => goOn(line), current: undefined, answered: undefined, waiting: [], last: undefined };
  return line;
}

/** Begins a turn, which ends with the response. */
function start(line: Line, response: ServerResponse, task: () => void): void {
  // A response closes once, and what listens to it goes with it.
  response.on('close', line.next);
  task();
}

function goOn(line: Line): void {
  line.answered = line.current;
  const next = line.waiting.shift();
  if (next !== undefined) {
    line.current = next.request;
    next.start();
  } else if (line.current !== undefined) {
    line.current = undefined;
    // What comes later finds the line at its end.
    line.last?.();
  }
}
