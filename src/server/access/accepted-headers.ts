import { timingSafeEqual } from 'node:crypto';
import type { Access } from './access.ts';

/** How many headers are kept, and how long they and their paths may be. */
const MAX_KEPT = 4000;
const MAX_KEPT_LENGTH = 500;

interface Accepted {
  readonly header: Buffer;
  readonly access: Access;
}

/**
 * Authorization headers that were accepted for the path of a request, of those of one date.
 *
 * A signature covers method, path and date, which has whole seconds: a client that creates or queries sends the same one over and over, and it need
 * not be taken apart and made again each time. What is given is the same as before, so nothing is accepted that would not be anyway.
 */
export class AcceptedHeaders {
  /** By method, then by path. */
  readonly #accepted = new Map<string, Map<string, Accepted>>();
  /** Room for a header that was sent, by its length: a request costs no new one. */
  readonly #sent: Buffer[] = [];
  #date = '';
  #kept = 0;

  /** What a header gives that was accepted for the same before; compared in the same time whatever of it differs. */
  find(method: string, path: string, date: string, header: string): Access | undefined {
    const known = date === this.#date ? this.#accepted.get(method)?.get(path) : undefined;
    if (known === undefined) {
      return undefined;
    }
    // Headers are of one byte a character.
    const { length } = header;
    if (length !== known.header.length) {
      return undefined;
    }
    const sent = (this.#sent[length] ??= Buffer.alloc(length));
    sent.write(header, 'latin1');
    return timingSafeEqual(sent, known.header) ? known.access : undefined;
  }

  /** Remembers a header that was accepted. */
  keep(method: string, path: string, date: string, header: string, access: Access): void {
    if (path.length > MAX_KEPT_LENGTH || header.length > MAX_KEPT_LENGTH) {
      return;
    }
    if (date !== this.#date || this.#kept >= MAX_KEPT) {
      this.#accepted.clear();
      this.#date = date;
      this.#kept = 0;
    }
    const ofMethod = this.#accepted.get(method) ?? new Map<string, Accepted>();
    this.#accepted.set(method, ofMethod.set(path, { header: Buffer.from(header, 'latin1'), access }));
    this.#kept += 1;
  }
}
