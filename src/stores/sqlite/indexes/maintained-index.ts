import type { JsonObject } from '../../../core/json.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import type { Program } from '../driver.ts';

/** A document as a maintained index receives it. */
export interface IndexedDocument {
  /** Creation order in the container: the document's name in the index, kept on replace. */
  readonly ordinal: number;
  /** The document without system properties. Not a copy: read it, and keep nothing of it. */
  readonly value: JsonObject;
}

/**
 * An index that SQLite does not keep by itself: tables of its own beside the table of documents, such as an R-tree or a full-text index.
 *
 * {@link SqliteContainer} calls it in the transaction of each write, whatever the write comes from: single calls, batches, bulks, the sync layer,
 * the sweep of expired documents. So the index holds exactly what the table holds after every commit. Programs keep no state of their own; they
 * may be run again when a transaction is undone. What they throw undoes the write.
 *
 * An index that is added to a container with documents is filled in slices, by ascending ordinal, while other writes go on: a document that is
 * written meanwhile may be put twice. Until it is filled it is not among {@link ContainerIndexes.ready}, and no query may use it.
 */
export interface MaintainedIndex {
  /** Makes the tables, empty. */
  create(): Program<void>;
  /** Removes the tables; quietly where there are none. */
  drop(): Program<void>;
  /** Takes a document in place of what it knows under the ordinal. `isNew`: it knows nothing under it, so that there is nothing to remove first. */
  put(document: IndexedDocument, isNew: boolean): Program<void>;
  /** Forgets a document; quietly where it knows none. */
  remove(ordinal: number): Program<void>;
}

/** A kind of {@link MaintainedIndex}. Add it to `MAINTAINED_KINDS`, and it is made, filled, kept and removed. */
export interface MaintainedIndexKind {
  /** Its name in the catalogue. */
  readonly kind: 'spatial' | 'full-text';
  /** Says how the content is made. Indexes of another form are made anew when the container is opened. */
  readonly form: string;
  /** What the policy asks for: for each index a text that says all of it, such as the JSON of its path and options. */
  wanted(policy: IndexPolicy, definition: ContainerDefinition): readonly string[];
  /** Whether this SQLite has what the tables need; where it has not, none are made and queries run without. */
  isAvailable(): Program<boolean>;
  /** The index of a text of {@link wanted}. All its tables have names that begin with `table`, a checked name. */
  open(table: string, key: string): MaintainedIndex;
}
