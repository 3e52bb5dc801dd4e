/*
 * Calls of functions that run in a thread, made by a caller that has to wait for them: the evaluator of queries goes on only with the result.
 * Both sides see one piece of memory and wake each other; a call takes some 20 microseconds.
 */

/** Places of the numbers at the head of the memory. */
const REQUESTS = 0;
const ANSWERS = 1;
const FUNCTION = 2;
const STATUS = 3;
const LENGTH = 4;
const HEAD_BYTES = 64;

const FIRST_BYTES = 64 * 1024;
/** Of the arguments or the result of one call, as JSON. */
const MAX_BYTES = 32 * 1024 * 1024;

/** In place of the number of a function: there will be no more calls. */
const CLOSE = -1;

type Growable = SharedArrayBuffer & { grow(length: number): void };

/** What an answer is: the result, or a failure, as JSON; or that it is larger than the channel. */
export type AnswerStatus = 'result' | 'failure' | 'too-large';

const STATUSES: readonly AnswerStatus[] = ['result', 'failure', 'too-large'];

/** One of the two sides of a channel. */
export class FunctionChannel {
  readonly buffer: SharedArrayBuffer;
  readonly #head: Int32Array;
  #body: Buffer;

  /** Makes a channel, or, with its memory, the other side of one. */
  constructor(buffer?: SharedArrayBuffer) {
    const Growing = SharedArrayBuffer as unknown as new (length: number, options: { readonly maxByteLength: number }) => SharedArrayBuffer;
    this.buffer = buffer ?? new Growing(HEAD_BYTES + FIRST_BYTES, { maxByteLength: HEAD_BYTES + MAX_BYTES });
    this.#head = new Int32Array(this.buffer, 0, HEAD_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#body = Buffer.from(this.buffer, HEAD_BYTES, this.buffer.byteLength - HEAD_BYTES);
  }

  /**
   * Calls a function and waits, blocking, for its answer; `undefined` when there is none after `timeoutMs`. Then the channel is of no more use.
   * A call that is too large is answered as such without being made.
   */
  call(index: number, json: string, timeoutMs: number): { readonly status: AnswerStatus; readonly json: string } | undefined {
    if (!this.#write(json)) {
      return { status: 'too-large', json: '' };
    }
    const head = this.#head;
    head[FUNCTION] = index;
    const before = Atomics.load(head, ANSWERS);
    this.#wake(REQUESTS);
    while (Atomics.load(head, ANSWERS) === before) {
      if (Atomics.wait(head, ANSWERS, before, timeoutMs) === 'timed-out') {
        return undefined;
      }
    }
    return { status: STATUSES[head[STATUS] as number] as AnswerStatus, json: this.#read() };
  }

  /** Lets the other side's {@link serve} come to its end. */
  close(): void {
    this.#head[FUNCTION] = CLOSE;
    this.#wake(REQUESTS);
  }

  /** Answers calls, blocking, until the channel is closed. */
  serve(answer: (index: number, json: string) => { readonly status: AnswerStatus; readonly json: string }): void {
    const head = this.#head;
    for (let seen = 0; ; seen += 1) {
      while (Atomics.load(head, REQUESTS) === seen) {
        Atomics.wait(head, REQUESTS, seen);
      }
      const index = head[FUNCTION] as number;
      if (index === CLOSE) {
        return;
      }
      const { status, json } = answer(index, this.#read());
      const fits = this.#write(json);
      head[STATUS] = STATUSES.indexOf(fits ? status : 'too-large');
      this.#wake(ANSWERS);
    }
  }

  #wake(place: number): void {
    Atomics.add(this.#head, place, 1);
    Atomics.notify(this.#head, place);
  }

  #read(): string {
    const length = this.#head[LENGTH] as number;
    this.#fit(length);
    return this.#body.toString('utf8', 0, length);
  }

  /** Writes a text, having made room for it; false where there cannot be enough. */
  #write(json: string): boolean {
    const length = Buffer.byteLength(json);
    if (length > MAX_BYTES) {
      this.#head[LENGTH] = 0;
      return false;
    }
    this.#fit(length);
    this.#head[LENGTH] = this.#body.write(json, 'utf8');
    return true;
  }

  #fit(length: number): void {
    if (length > this.#body.length) {
      if (this.buffer.byteLength < HEAD_BYTES + length) {
        (this.buffer as Growable).grow(Math.min(HEAD_BYTES + Math.max(2 * length, FIRST_BYTES), HEAD_BYTES + MAX_BYTES));
      }
      this.#body = Buffer.from(this.buffer, HEAD_BYTES, this.buffer.byteLength - HEAD_BYTES);
    }
  }
}
