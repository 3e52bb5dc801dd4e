import type { CosmosClientOptions } from '@azure/cosmos';

type HttpHeaders = Awaited<ReturnType<NonNullable<CosmosClientOptions['httpClient']>['sendRequest']>>['headers'];

/** Headers of an answer in the form that the SDK reads; names are lower-case. */
export class WireHeaders implements HttpHeaders {
  readonly #headers: Map<string, string>;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = new Map(Object.entries(headers));
  }

  get(name: string): string | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  set(name: string, value: string | number | boolean): void {
    this.#headers.set(name.toLowerCase(), String(value));
  }

  delete(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#headers);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#headers.entries();
  }
}
