/*
 * The bytes of a continuation token. A token has to fit into a header of 1 KB whatever it holds, so nothing in it takes more than it says here: a
 * number that counts, up to 8 bytes; a double, 8; a text, 3 for each UTF-16 unit and the two of its length.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SEXTETS: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (letter, sextet) => [letter, sextet]));

/** Writes bytes one after the other. */
export class TokenWriter {
  readonly #bytes: number[] = [];

  byte(value: number): void {
    this.#bytes.push(value);
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte. */
  count(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  double(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    for (let index = 0; index < 8; index += 1) {
      this.#bytes.push(view.getUint8(index));
    }
  }

  /** Half a surrogate pair is a unit like any other, so nothing is lost. */
  text(value: string): void {
    this.count(value.length);
    for (let index = 0; index < value.length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit < 0x80) {
        this.#bytes.push(unit);
      } else if (unit < 0x800) {
        this.#bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
      } else {
        this.#bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
      }
    }
  }

  /** The bytes in base64url. */
  toString(): string {
    let text = '';
    for (let at = 0; at < this.#bytes.length; at += 3) {
      const [first, second, third] = [this.#bytes[at] as number, this.#bytes[at + 1], this.#bytes[at + 2]];
      const word = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
      text += `${ALPHABET[word >>> 18]}${ALPHABET[(word >>> 12) & 63]}`;
      text += `${second === undefined ? '' : ALPHABET[(word >>> 6) & 63]}${third === undefined ? '' : ALPHABET[word & 63]}`;
    }
    return text;
  }
}

/** Reads what {@link TokenWriter} wrote. Everything throws TypeError where the bytes are not such. */
export class TokenReader {
  readonly #bytes: readonly number[];
  #at = 0;

  constructor(token: string) {
    const bytes: number[] = [];
    let bits = 0;
    let word = 0;
    for (const letter of token) {
      const sextet = SEXTETS.get(letter);
      if (sextet === undefined) {
        throw new TypeError('A token has letters, digits, - and _ only.');
      }
      word = ((word << 6) | sextet) & 0xffff;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes.push((word >>> bits) & 0xff);
      }
    }
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new TypeError('A token ends too early.');
    }
    this.#at += 1;
    return byte;
  }

  count(): number {
    let value = 0;
    let factor = 1;
    for (let byte = this.byte(); ; byte = this.byte()) {
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        break;
      }
      factor *= 0x80;
    }
    if (!Number.isSafeInteger(value)) {
      throw new TypeError('A number in a token is too large.');
    }
    return value;
  }

  double(): number {
    const view = new DataView(new ArrayBuffer(8));
    for (let index = 0; index < 8; index += 1) {
      view.setUint8(index, this.byte());
    }
    return view.getFloat64(0);
  }

  text(): string {
    const units: number[] = [];
    for (let left = this.count(); left > 0; left -= 1) {
      const first = this.byte();
      if (first < 0x80) {
        units.push(first);
      } else if (first < 0xe0) {
        units.push(((first & 0x1f) << 6) | (this.byte() & 0x3f));
      } else {
        units.push(((first & 0x0f) << 12) | ((this.byte() & 0x3f) << 6) | (this.byte() & 0x3f));
      }
    }
    return String.fromCharCode(...units);
  }

  /** @throws TypeError unless everything was read */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new TypeError('A token goes on behind its end.');
    }
  }
}
