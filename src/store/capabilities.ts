/**
 * What a backend can do, as data. Code and tests read it; nothing asks which backend it is.
 *
 * An operation that a backend cannot do is refused with NOT_SUPPORTED and the capability's name in `details.capability`.
 */
export interface StoreCapabilities {
  /** What an acknowledged write survives: the end of the process, a kill of the process, or (after `flush()` or by option) a loss of power. */
  readonly durability: 'none' | 'process-kill' | 'power-loss';
  /** Several processes may use the same data at once. */
  readonly multiProcess: boolean;
  /** `transact(partitionKey, fn)`. */
  readonly transact: boolean;
  /** Patch operation `move`. */
  readonly patchMove: boolean;
  /** Change feed of all versions and deletes, for containers with a change feed policy. */
  readonly allVersionsFeed: boolean;
  /** Changes and write results carry `position`. */
  readonly positions: boolean;
  /** Databases and containers can be created, replaced and deleted. */
  readonly manageContainers: boolean;
  /** The catalog of system documents. */
  readonly catalog: boolean;
  /** `snapshot` and `restore` of everything that the backend holds. */
  readonly snapshots: boolean;
  /** Time to live is measured by the runtime given to the backend, so a simulated clock moves it. */
  readonly runtimeClock: boolean;
  /** Keys of a document that look like integers, and the property order in general, are kept by the medium itself. */
  readonly propertyOrder: boolean;
  /** Queries over the whole container may use ORDER BY, aggregates, GROUP BY and so on. */
  readonly crossPartitionQuery: boolean;
  /** Queries may call functions of the program: `userDefinedFunctions` of a query's options. */
  readonly userDefinedFunctions: boolean;
  /** `explain` with `analyze`: the engine measures its statement, and tries the index that it advises. */
  readonly measuredPlans: boolean;
  /** `indexProgress`: indexes of a container with documents are made in the background, and the backend tells how far they are. */
  readonly indexProgress: boolean;
}

/** Name of a capability that can be absent. */
export type CapabilityName = keyof StoreCapabilities;
