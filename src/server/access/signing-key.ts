import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** A key with which clients sign. */
export class SigningKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** Whether this key made a signature of a text. Takes the same time whatever of the signature differs. */
  made(signature: Buffer, text: string): boolean {
    // As text: base64 has several texts for the same bytes, and clients send one of them.
    const expected = Buffer.from(createHmac('sha256', this.#key).update(text).digest('base64'));
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }
}
