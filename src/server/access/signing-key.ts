import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** How many signatures are kept, and how long their texts may be: texts come from strangers, who must not fill the memory. */
const MAX_KEPT = 1000;
const MAX_KEPT_LENGTH = 500;

/**
 * A key with which clients sign.
 *
 * What a signature must be is kept for a while: the date in the text has whole seconds, so that a client which creates or queries signs the same text
 * over and over.
 */
export class SigningKey {
  readonly #key: KeyObject;
  readonly #expected = new Map<string, Buffer>();

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** Whether this key made a signature of a text. Takes the same time whatever of the signature differs. */
  made(signature: Buffer, text: string): boolean {
    const expected = this.#signatureOf(text);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }

  #signatureOf(text: string): Buffer {
    const known = this.#expected.get(text);
    if (known !== undefined) {
      return known;
    }
    // As text: base64 has several texts for the same bytes, and clients send one of them.
    const signature = Buffer.from(createHmac('sha256', this.#key).update(text).digest('base64'));
    if (text.length <= MAX_KEPT_LENGTH) {
      if (this.#expected.size >= MAX_KEPT) {
        this.#expected.clear();
      }
      this.#expected.set(text, signature);
    }
    return signature;
  }
}
