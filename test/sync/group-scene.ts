import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { SyncEngine } from '../../src/sync/index.ts';
import { watched, type Operation } from './patches-scene.ts';
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
  readonly #sent: Operation[][] = [];

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
    return watched(
      this.#sent,
      faultyStore(store, (request) => this.plan(request)),
    );
  }

  /** Documents of each batch that a device sent, as `id=text`; markers left out. */
  get batches(): string[][] {
    return this.#sent.map((batch) => batch.flatMap((one) => ('document' in one ? [`${one.document.id}=${textOf(one.document)}`] : [])));
  }

  /** Lets {@link batches} begin anew. */
  forget(): void {
    this.#sent.length = 0;
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
