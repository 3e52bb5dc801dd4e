import type { Container, CosmosClientOptions } from '@azure/cosmos';
import type { ChaosRule, ChaosRuleReport, ServerOptions } from '../../../src/server/index.ts';
import { serve, type Served } from '../served.ts';

/** A container with three documents behind a server, and the official client in front of it. */
export interface Scene {
  readonly served: Served;
  readonly container: Container;
  /** Puts rules in force, after the client has read what it reads once. */
  readonly inject: (...rules: readonly ChaosRule[]) => void;
  /** What became of the rules. */
  readonly rules: () => readonly Pick<ChaosRuleReport, 'seen' | 'fired'>[];
  /** Ids of all documents that are there, with no faults in between. */
  readonly ids: () => Promise<readonly string[]>;
}

export interface SceneOptions {
  readonly server?: Partial<ServerOptions>;
  readonly client?: Partial<CosmosClientOptions>;
}

export async function scene({ server, client }: SceneOptions = {}): Promise<Scene> {
  const served = await serve(server);
  const { database } = await served.client().databases.create({ id: 'app' });
  await database.containers.create({ id: 'items', partitionKey: '/key' });
  const container = served.client(client).database('app').container('items');
  for (const id of ['a', 'b', 'c']) {
    await container.items.create({ id, key: id });
  }
  const store = await served.backend.container('app', 'items');
  return {
    served,
    container,
    inject: (...rules) => served.server.chaos.replace({ seed: 1, rules }),
    rules: () => served.server.chaos.report().rules.map(({ seen, fired }) => ({ seen, fired })),
    ids: async () => (await store.query<string>('SELECT VALUE c.id FROM c').toArray()).toSorted(),
  };
}

/** What an operation was refused with; fails when it was not. */
export async function refusal(work: Promise<unknown>): Promise<{ readonly code: unknown; readonly substatus: unknown }> {
  const { code, substatus } = await work.then(
    () => {
      throw new Error('The operation succeeded.');
    },
    (error: { code?: unknown; substatus?: unknown }) => error,
  );
  return { code, substatus };
}
