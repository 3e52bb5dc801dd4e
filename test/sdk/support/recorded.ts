import type { CosmosClientOptions } from '@azure/cosmos';

/** One exchange as it went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** Headers that the SDK sent. */
  readonly sent: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** 200 and so on, errors included. */
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Failure {
  readonly code?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** Options of a client, and the list that its requests are written to. */
export function recorded(): { readonly options: Partial<CosmosClientOptions>; readonly exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  const plugins = [
    {
      on: 'request' as const,
      plugin: async (
        context: { method: string; path?: string; headers?: Record<string, unknown>; body?: unknown },
        _diagnostics: unknown,
        next: (context: never) => Promise<{ code?: number; headers: Record<string, unknown> }>,
      ): Promise<unknown> => {
        const { method, path = '', headers = {}, body } = context;
        const record = (status: number, received: Readonly<Record<string, unknown>>): void => {
          exchanges.push({ method, path, sent: { ...headers }, body, status, headers: received });
        };
        try {
          const response = await next(context as never);
          record(response.code as number, response.headers);
          return response;
        } catch (error) {
          const { code, headers: received } = error as Failure;
          record(code as number, received ?? {});
          throw error;
        }
      },
    },
  ];
  return { options: { plugins } as unknown as Partial<CosmosClientOptions>, exchanges };
}
