import { PerigeeError } from '../core/errors.ts';
import { partitionKeyText, type PartitionKeyInput } from '../store/partition-key.ts';
import type { AccessToken, TokenProvider, TokenRequest } from '../store/token-provider.ts';

/** A token that is there already, and what it is for. What is left out is not limited. */
export interface StaticToken {
  readonly token: string;
  readonly database?: string | undefined;
  readonly container?: string | undefined;
  readonly partitionKey?: PartitionKeyInput;
  /** `all` unless said otherwise; a token that reads only serves no other calls. */
  readonly mode?: 'read' | 'all' | undefined;
}

interface Entry {
  readonly given: StaticToken;
  readonly keyText: string | undefined;
  /** The more it says of what it is for, the earlier it is taken. */
  readonly weight: number;
}

function entryOf(given: StaticToken): Entry {
  if (typeof given?.token !== 'string' || given.token === '') {
    throw new PerigeeError('INVALID_OPTION', 'Cannot use a static token: `token` is a string that is not empty.');
  }
  const { database, container, partitionKey, mode = 'all' } = given;
  const key = Array.isArray(partitionKey) ? partitionKey : [partitionKey];
  const keyText = partitionKey === undefined ? undefined : partitionKeyText(key);
  const weight = Number(keyText !== undefined) * 8 + Number(container !== undefined) * 4 + Number(database !== undefined) * 2;
  return { given, keyText, weight: weight + Number(mode === 'read') };
}

function fits({ given, keyText }: Entry, request: TokenRequest): boolean {
  const { databaseId, container, partitionKey, mode } = request;
  return (
    (given.database === undefined || given.database === databaseId) &&
    (given.container === undefined || given.container === container) &&
    // A token for one key permits to read the definition of its container, which names no key.
    (keyText === undefined || partitionKey === undefined || partitionKeyText(partitionKey) === keyText) &&
    (given.mode !== 'read' || mode === 'read')
  );
}

/**
 * Tokens that are there already: one for everything, or a list, of which the one is taken that says most of what the call is about.
 *
 * They cannot be renewed: when the service refuses one, the call fails with what the service says. A call that none is for raises FORBIDDEN.
 *
 * @throws INVALID_OPTION
 *
 * @example
 * ```ts
 * import { staticTokens } from 'perigee/tokens';
 *
 * const tokens = staticTokens([
 *   { container: 'todos', token: 'for all todos' },
 *   { container: 'todos', partitionKey: 'ada', token: "for Ada's" },
 * ]);
 * const request = { databaseId: 'app', container: 'todos', partitionKey: ['ada'], mode: 'all', refresh: false } as const;
 * console.log((await tokens.getToken(request)).token); // -> for Ada's
 * ```
 */
export function staticTokens(tokens: string | readonly StaticToken[]): TokenProvider {
  const entries = (typeof tokens === 'string' ? [{ token: tokens }] : tokens)
    .map(entryOf)
    .toSorted((left, right) => right.weight - left.weight);
  return {
    getToken: async (request): Promise<AccessToken> => {
      const found = entries.find((entry) => fits(entry, request));
      if (found === undefined) {
        const what = request.container === undefined ? 'the account' : `the container ${JSON.stringify(request.container)}`;
        throw new PerigeeError('FORBIDDEN', `Cannot get a token: none of the static tokens is for this partition key and mode of ${what}.`);
      }
      return { token: found.given.token };
    },
  };
}
