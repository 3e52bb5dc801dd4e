import type { IncomingMessage, ServerResponse } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { parseJson } from '../parse-json.ts';

/** A request to an admin route, its key checked. */
export interface AdminRequestParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The body; empty for a route that takes it as a stream, or none. */
  readonly body: string;
}

/** A request to an admin route, as its handler sees it. */
export class AdminRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #query: URLSearchParams;
  readonly #body: string;

  constructor({ request, response, query, body }: AdminRequestParts) {
    this.request = request;
    this.response = response;
    this.#query = query;
    this.#body = body;
  }

  /** A parameter behind the question mark. */
  parameter(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  /** A parameter that is `true` or `false`, or absent for `false`. @throws BAD_REQUEST */
  flag(name: string): boolean {
    const text = this.parameter(name);
    if (text !== undefined && text !== 'true' && text !== 'false') {
      throw new PerigeeError('BAD_REQUEST', `The parameter ${name} is true or false.`);
    }
    return text === 'true';
  }

  /** @throws BAD_REQUEST */
  json(): unknown {
    return parseJson(this.#body, 'The body of the request');
  }

  /** The body as an object with these members and no others. @throws BAD_REQUEST */
  members(names: readonly string[]): JsonObject {
    const value = this.json();
    if (!isJsonObject(value) || Object.keys(value).some((name) => !names.includes(name))) {
      throw new PerigeeError('BAD_REQUEST', `The body of the request is an object with members of ${names.join(', ')}.`);
    }
    return value;
  }

  /** Aborts when the client goes away. */
  signal(): AbortSignal {
    const controller = new AbortController();
    this.response.once('close', () => controller.abort());
    return controller.signal;
  }
}
