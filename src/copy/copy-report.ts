/** How a document differs between the two sides at the end. */
export type CopyDifferenceKind = 'missing' | 'different' | 'extra';

/** A document that is not the same on both sides. */
export interface CopyDifference {
  /** `missing`: only in the source. `extra`: only in the target. `different`: in both, and not equal. */
  readonly kind: CopyDifferenceKind;
  readonly id: string;
  /** The partition key as a JSON array, in which `{}` stands for a missing component. */
  readonly partitionKey: string;
}

/** A document that the target refused. */
export interface CopyFailure {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

/** What the comparison at the end found. */
export interface CopyComparison {
  readonly equal: boolean;
  readonly sourceDocuments: number;
  readonly targetDocuments: number;
  /** The first differences; at most {@link CopyOptions.maxNamed}. */
  readonly differences: readonly CopyDifference[];
  /** There are more differences than are named. */
  readonly more: boolean;
}

/** What became of one container. */
export interface ContainerReport {
  readonly database: string;
  readonly container: string;
  /** Made in the target by this run. */
  readonly createdContainer: boolean;
  /** Went on where an earlier run had ended. */
  readonly resumed: boolean;
  /** Documents that were created in the target. */
  readonly created: number;
  /** Documents in whose place the source's version was put. */
  readonly replaced: number;
  /** Documents that were there and equal. */
  readonly unchanged: number;
  /** Documents that the target has in a newer version, which was left. */
  readonly keptNewer: number;
  /** Documents that the target refused; without a comparison also those of the runs before that this one went on from. */
  readonly failed: number;
  /** The first of those that failed in this run. */
  readonly failures: readonly CopyFailure[];
  /** What was said of the documents' time to live, where they have one. */
  readonly timeToLive: string | undefined;
  /** Absent with `verify: false`. */
  readonly comparison: CopyComparison | undefined;
}

/** What became of a copy. */
export interface CopyReport {
  readonly containers: readonly ContainerReport[];
  /** Everything that was compared is equal, and nothing failed. */
  readonly equal: boolean;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly database: string;
  readonly container: string;
  /** `copy`: the documents that were there. `follow`: those that changed meanwhile. `compare`: both sides. */
  readonly phase: 'copy' | 'follow' | 'compare';
  /** Documents of this container that were dealt with so far, those of the runs before included. */
  readonly documents: number;
  /** Documents of the container when the run began; `undefined` where the source does not say. */
  readonly total: number | undefined;
}
