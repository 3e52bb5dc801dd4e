import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { parseContainerRid } from '../../store/resource-id.ts';
import type { ServerCatalog } from '../catalog/server-catalog.ts';

const SETTING = 'spent';

/** What was leased of one second, by all servers together. */
interface Spent {
  /** Seconds since 1970. */
  readonly second: number;
  readonly units: Readonly<Record<string, number>>;
}

function spentOf(members: JsonObject | undefined): Spent {
  const { second, units } = members ?? {};
  return typeof second === 'number' && isJsonObject(units) ? { second, units: units as Record<string, number> } : { second: 0, units: {} };
}

/**
 * Request units of a second, as several servers on one store share them: each takes slices, and says so in the catalog. What a server has taken and not
 * spent lapses with the second, also that of one that was killed.
 *
 * The clocks of the servers have to agree: one that is behind has to wait, one that is ahead opens the next second early.
 */
export class ThroughputLeases {
  readonly #catalog: ServerCatalog;

  constructor(catalog: ServerCatalog) {
    this.#catalog = catalog;
  }

  /**
   * Takes up to `units` of a second, and gives how many; 0 where all are taken.
   *
   * @param ownerRid the container or database that the throughput belongs to
   * @param range the partition key range, of which each may spend `limit` in a second
   */
  async take(ownerRid: string, range: string, second: number, units: number, limit: number): Promise<number> {
    let granted = 0;
    const owner = { databaseRid: parseContainerRid(ownerRid)?.database ?? ownerRid, rid: ownerRid };
    await this.#catalog.changeSetting(owner, SETTING, (members) => {
      const spent = spentOf(members);
      // Of a second that others have left behind nothing is given.
      const known = spent.second === second ? spent.units : {};
      const taken = Object.hasOwn(known, range) ? (known[range] ?? 0) : 0;
      granted = spent.second > second ? 0 : Math.max(0, Math.min(units, limit - taken));
      return granted === 0 ? undefined : { second, units: { ...known, [range]: taken + granted } };
    });
    return granted;
  }
}
