import { timingSafeEqual } from 'node:crypto';
import type { Access } from './access.ts';

/** How many headers are kept, and how long their texts may be. */
const MAX_KEPT = 4000;
const MAX_KEPT_LENGTH = 500;

interface Accepted {
  readonly header: Buffer;
  readonly access: Access;
}

/**
 * Authorization headers that were accepted, by the text that they sign.
 *
 * The date in the text has whole seconds, so that a client which creates or queries signs the same text over and over: its header need not be taken
 * apart, nor the signature made, each time. A text that holds the same is signed the same, so nothing is accepted that would not be anyway.
 */
export class AcceptedHeaders {
  readonly #accepted = new Map<string, Accepted>();

  /** What a header gives that was accepted for a text before; compared in the same time whatever of it differs. */
  find(text: string, header: string): Access | undefined {
    const known = this.#accepted.get(text);
    if (known === undefined) {
      return undefined;
    }
    const sent = Buffer.from(header);
    return sent.length === known.header.length && timingSafeEqual(sent, known.header) ? known.access : undefined;
  }

  /** Remembers a header that was accepted. */
  keep(text: string, header: string, access: Access): void {
    if (text.length > MAX_KEPT_LENGTH || header.length > MAX_KEPT_LENGTH) {
      return;
    }
    if (this.#accepted.size >= MAX_KEPT) {
      this.#accepted.clear();
    }
    this.#accepted.set(text, { header: Buffer.from(header), access });
  }
}
