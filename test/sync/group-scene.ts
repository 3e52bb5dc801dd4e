import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { SyncEngine } from '../../src/sync/index.ts';
import { faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, World, type Device, type DeviceOptions, type Note } from './world.ts';

export const note = (id: string, text: string, more: object = {}): Note => ({ id, owner: 'ada', text, ...more });
export const keyOf = (id: string): { container: string; partitionKey: string; id: string } => ({
  container: 'notes',
  partitionKey: 'ada',
  id,
});

/** Writes documents in one transaction. */
export function together(device: Device, ...notes: readonly Note[]): Promise<void> {
  return device.notes.transact('ada', async (transaction) => {
    for (const one of notes) {
      await transaction.upsert(one);
    }
  });
}

const textOf = (document: JsonObject | undefined): string => (document as Note | undefined)?.text ?? 'deleted';

/** What a device holds, by id. */
export async function held(device: Device): Promise<Record<string, string | undefined>> {
  const rows = await device.notes.query<Note>('SELECT * FROM c').toArray();
  return Object.fromEntries(rows.map(({ id, text }) => [id, text]));
}

export async function journal({ engine }: { readonly engine: SyncEngine }): Promise<string[]> {
  return (await engine.journal()).map(({ id, losingSide, reason, document }) => `${id} ${losingSide} ${reason} ${textOf(document)}`);
}

/** A world in which the batches of devices are written down. */
export class GroupScene {
  readonly world: World;
  /** What goes wrong with requests of the devices. */
  plan: FaultPlan = () => undefined;
  /** Documents of each batch that a device sent, as `id=text`; markers left out. */
  batches: string[][] = [];

  private constructor(world: World) {
    this.world = world;
  }

  static async open(options: Parameters<typeof World.open>[0] = {}): Promise<GroupScene> {
    return new GroupScene(await World.open(options));
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** A device behind a line that may fail. */
  phone(options: DeviceOptions = {}): Promise<Device> {
    return this.world.device({ ...options, wrap: (store) => this.line(store) });
  }

  line(store: DocumentStore<JsonObject>): DocumentStore<JsonObject> {
    const faulty = faultyStore(store, (request) => this.plan(request));
    return new Proxy(faulty, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'batch') {
          return (...parameters: Parameters<typeof target.batch>) => {
            const documents = parameters[1].flatMap((operation) => ('document' in operation ? [operation.document] : []));
            const notes = documents.filter(({ id }) => !id.startsWith('_perigee'));
            this.batches.push(notes.map((document) => `${document.id}=${textOf(document)}`));
            return target.batch(...parameters);
          };
        }
        return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
      },
    });
  }

  /** Batches with documents in them. */
  get sent(): string[][] {
    return this.batches.filter(({ length }) => length > 0);
  }

  remote(): Promise<DocumentStore<Note>> {
    return this.world.remote();
  }

  /** What the remote holds, by id. */
  async texts(): Promise<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(await contents(await this.remote())).map(([id, { text }]) => [id, text]));
  }
}
