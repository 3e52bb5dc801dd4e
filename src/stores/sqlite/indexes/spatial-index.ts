import { boundingBox } from '../../../query/functions/spatial/bounding-box.ts';
import { readGeometry } from '../../../query/functions/spatial/read-geometry.ts';
import { valueAtPath } from '../../../store/partition-key.ts';
import { indexedPlacesOf, MAX_POLICY_INDEXES } from '../../common/wanted-indexes.ts';
import { get, run, type Program } from '../driver.ts';
import type { MaintainedIndex, MaintainedIndexKind } from './maintained-index.ts';

/** Name of the kind in the catalogue. */
export const SPATIAL = 'spatial';

/** The catalogue's key of the index of a path. */
export function spatialKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** The R-tree of an index. SQLite keeps 32-bit numbers in it and rounds each box outwards. */
export function boxesTable(table: string): string {
  return `${table}_boxes`;
}

class SpatialIndex implements MaintainedIndex {
  readonly #boxes: string;
  readonly #path: readonly string[];

  constructor(table: string, path: readonly string[]) {
    this.#boxes = boxesTable(table);
    this.#path = path;
  }

  *create(): Program<void> {
    yield* run(`CREATE VIRTUAL TABLE ${this.#boxes} USING rtree(ordinal, low_x, high_x, low_y, high_y, low_z, high_z)`);
  }

  *drop(): Program<void> {
    yield* run(`DROP TABLE IF EXISTS ${this.#boxes}`);
  }

  *put({ ordinal, value }: Parameters<MaintainedIndex['put']>[0], isNew: boolean): Program<void> {
    const reading = readGeometry(valueAtPath(value, this.#path));
    const box = typeof reading === 'string' ? undefined : boundingBox(reading);
    if (box !== undefined) {
      const { low, high } = box;
      const sides = [low[0], high[0], low[1], high[1], low[2], high[2]];
      yield* run(`INSERT OR REPLACE INTO ${this.#boxes} VALUES (?, ?, ?, ?, ?, ?, ?)`, ordinal, ...sides);
    } else if (!isNew) {
      yield* this.remove(ordinal);
    }
  }

  *remove(ordinal: number): Program<void> {
    yield* run(`DELETE FROM ${this.#boxes} WHERE ordinal = ?`, ordinal);
  }
}

/**
 * An R-tree for each path of `spatialIndexes`: the box of each valid geometry there, of whatever type, since no function tells an invalid one
 * from a missing one.
 */
export const spatialKind: MaintainedIndexKind = {
  kind: SPATIAL,
  form: 'rtree of boxes on the unit sphere, 1',
  wanted: (policy, definition) => indexedPlacesOf(policy, definition).slice(0, MAX_POLICY_INDEXES).map(spatialKey),
  *isAvailable() {
    const row = yield* get<{ n: number }>("SELECT count(*) AS n FROM pragma_module_list WHERE name = 'rtree'");
    return row !== undefined && row.n > 0;
  },
  open: (table, key) => new SpatialIndex(table, JSON.parse(key) as readonly string[]),
};
