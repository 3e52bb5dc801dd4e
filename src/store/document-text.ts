import type { SystemProperties } from './document.ts';
import type { CallOptions } from './operations.ts';

const AS_TEXT: unique symbol = Symbol('documents as text');

/**
 * A stored document as the JSON that a store keeps of it, for callers who hand it on as it is: to parse it and to write it again takes longer than
 * to find it.
 *
 * It stands where a result has its document, and only where {@link asText} asked for it.
 */
export class DocumentText implements Pick<SystemProperties, '_etag' | '_ts'> {
  readonly text: string;
  readonly _etag: string;
  readonly _ts: number;

  constructor(text: string, etag: string, ts: number) {
    this.text = text;
    this._etag = etag;
    this._ts = ts;
  }
}

interface TextOptions {
  [AS_TEXT]?: true;
}

/**
 * Marks the options of a call, and gives them: its result may then have its document as text. A store that keeps none gives an object, so read it with
 * {@link textOf}. Whoever asks for this lets nobody change the document that is written until the call has ended.
 */
export function asText<O extends CallOptions>(options: O): O {
  (options as TextOptions)[AS_TEXT] = true;
  return options;
}

/** Whether the caller reads the document of the result with {@link textOf}. */
export function wantsText(options: CallOptions): boolean {
  return (options as TextOptions)[AS_TEXT] === true;
}

/** The JSON of the document in a result that was asked for by {@link asText}. */
export function textOf(document: object): string {
  return document instanceof DocumentText ? document.text : JSON.stringify(document);
}
