import { PerigeeError } from '../core/errors.ts';

/** The refusal of a method that a path does not take; `allow` lists those that it takes. */
export function methodRefused(method: string, allow: string): PerigeeError {
  return new PerigeeError('BAD_REQUEST', `The path of the request does not take the method ${method}. It takes ${allow}.`, {
    status: 405,
    details: { allow },
  });
}
