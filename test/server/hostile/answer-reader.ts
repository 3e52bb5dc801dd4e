/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The server said that it will close the connection. */
  readonly closes: boolean;
}

/** Raised for bytes that are no answer of HTTP. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Splits what a server sends into answers; strict, because a client that is lenient would hide a defect. */
export class AnswerReader {
  #buffer: Buffer = Buffer.alloc(0);

  /** Bytes that are not a whole answer yet. */
  get rest(): Buffer {
    return this.#buffer;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** The next answer to a request with this method, `undefined` where it is not all there. */
  next(method: string): Answer | undefined {
    for (;;) {
      const end = this.#buffer.indexOf(HEAD_END);
      if (end === -1) {
        return undefined;
      }
      const lines = this.#buffer.subarray(0, end).toString('latin1').split('\r\n');
      const status = Number(/^HTTP\/1\.1 (\d{3}) [^\r\n]*$/u.exec(lines[0] as string)?.[1]);
      if (Number.isNaN(status)) {
        throw new MalformedAnswer(`No status line: ${JSON.stringify(lines[0]?.slice(0, 100))}`);
      }
      if (status < 200) {
        this.#buffer = this.#buffer.subarray(end + 4);
        continue;
      }
      const headers = new Map<string, string>();
      for (const line of lines.slice(1)) {
        const colon = line.indexOf(':');
        const name = line.slice(0, colon).toLowerCase();
        if (colon < 1 || headers.has(name)) {
          throw new MalformedAnswer(`A header that is none, or there twice: ${JSON.stringify(line.slice(0, 100))}`);
        }
        headers.set(name, line.slice(colon + 1).trim());
      }
      const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
      const length = hasBody ? Number(headers.get('content-length')) : 0;
      if (!Number.isInteger(length)) {
        throw new MalformedAnswer(`An answer of ${status} without a length.`);
      }
      if (this.#buffer.length < end + 4 + length) {
        return undefined;
      }
      const body = this.#buffer.subarray(end + 4, end + 4 + length);
      this.#buffer = this.#buffer.subarray(end + 4 + length);
      return { status, headers, body, closes: headers.get('connection') === 'close' };
    }
  }
}
