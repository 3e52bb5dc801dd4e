import { PerigeeError } from '../../core/errors.ts';
import { hasLoneSurrogate, type JsonObject } from '../../core/json.ts';

/** Who asks for a token, once that is verified. */
export interface Caller {
  /** Name of the user, unique for ever, such as the claim `sub`. */
  readonly subject: string;
  /** What else was verified. */
  readonly claims?: JsonObject | undefined;
}

/** What a verifier sees of a request. */
export interface CallerRequest {
  readonly method: string;
  /** Names in lower case; several values are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Tells who sends a request; `undefined` when that cannot be told, which is answered with 401.
 *
 * A {@link PerigeeError} is answered with its code and message where it is UNAUTHORIZED, FORBIDDEN or THROTTLED, and with 503 where something could not be
 * reached; anything else thrown is a defect, 500.
 */
export type VerifyCaller = (request: CallerRequest) => Caller | undefined | Promise<Caller | undefined>;

const MAX_SUBJECT_CHARACTERS = 1024;

/** Checks what a verifier gave. @throws UNAUTHORIZED */
export function checkCaller(caller: Caller | undefined): Caller {
  const subject: unknown = caller?.subject;
  if (
    caller === undefined ||
    typeof subject !== 'string' ||
    subject === '' ||
    subject.length > MAX_SUBJECT_CHARACTERS ||
    hasLoneSurrogate(subject)
  ) {
    throw new PerigeeError('UNAUTHORIZED', 'The request does not say who sends it. Send the header authorization: Bearer <token>.');
  }
  return caller;
}

/** The bearer token of a request; `undefined` where there is none. */
export function bearerOf({ headers }: CallerRequest): string | undefined {
  return /^bearer +([\x21-\x7e]+)$/iu.exec(headers['authorization'] ?? '')?.[1];
}
