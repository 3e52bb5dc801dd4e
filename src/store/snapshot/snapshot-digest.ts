import type { SnapshotRecord, SnapshotVersion } from './snapshot-record.ts';

/** A checksum of 64 bits over the records of a snapshot, made of two runs over their characters. */
export class SnapshotDigest {
  #first = 0x811c9dc5;
  #second = 0x9747b28c;

  add(record: SnapshotRecord): void {
    switch (record.kind) {
      case 'document':
        this.#number(record.ordinal);
        this.#version(record);
        return;
      case 'change':
        this.#text(`${record.change} ${record.partitionKey}${record.id}`);
        this.#number(record.ordinal);
        this.#number(record.position);
        this.#number(record.atMs);
        if (record.before !== null) {
          this.#version(record.before);
        }
        return;
      default:
        this.#text(JSON.stringify(record));
    }
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    return [this.#first, this.#second].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #version({ position, ts, expiresAt, text }: SnapshotVersion): void {
    this.#number(position);
    this.#number(ts);
    this.#number(expiresAt ?? -1);
    this.#text(text);
  }

  #number(value: number): void {
    this.#mix(value | 0);
    this.#mix(Math.floor(value / 0x100000000));
  }

  #text(text: string): void {
    // Runs over megabytes of text, so both words are at hand while it does.
    let first = this.#first;
    let second = this.#second;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      first = Math.imul(first ^ unit, 0x01000193);
      second = (Math.imul(second, 31) + unit) | 0;
    }
    this.#first = first;
    this.#second = second;
    this.#mix(text.length);
  }

  #mix(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    this.#first ^= this.#first >>> 15;
    this.#second = Math.imul(this.#second ^ word, 0x85ebca6b);
    this.#second ^= this.#second >>> 13;
  }
}
