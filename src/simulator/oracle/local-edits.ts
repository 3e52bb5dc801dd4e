/** An edit on a device whose call resolved. */
export interface LocalEdit {
  readonly device: string;
  /** `owner/id` */
  readonly key: string;
  /** The text that it put, unique to it; `undefined` for a deletion. */
  readonly text: string | undefined;
  /** Position of the device's container behind it. */
  readonly position: number;
  /** How many versions the document had at the remote when it was made. */
  readonly versionsBefore: number;
  /** It changed a document that the device had and knew to be at the remote. */
  readonly followsLiving: boolean;
  /** It was a deletion of what was not at the remote at that time, or of what the remote never heard of: nothing need come of it. */
  readonly isVoid: boolean;
}

/** What a transaction wrote whose call resolved: several documents of one partition key. */
export interface LocalGroup {
  readonly device: string;
  /** Texts by `owner/id`; `undefined` for a deletion. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  readonly position: number;
}

/** Edits that somebody still answers for: neither replaced by a later one on the same device nor undone by a loss of power. */
export class LocalEdits {
  #edits: LocalEdit[] = [];
  #groups: LocalGroup[] = [];

  get all(): readonly LocalEdit[] {
    return this.#edits;
  }

  add(edit: LocalEdit): void {
    this.#edits.push(edit);
  }

  /** Transactions that somebody still answers for. */
  get groups(): readonly LocalGroup[] {
    return this.#groups;
  }

  /** Whether a document was written in a transaction of a device. */
  isInGroup(device: string, key: string): boolean {
    return this.#groups.some((group) => group.device === device && group.texts.has(key));
  }

  addGroup(group: LocalGroup): void {
    this.#groups.push(group);
  }

  /** A loss of power took every write behind a position. Gives them. */
  undo(device: string, position: number): readonly LocalEdit[] {
    const isGone = (edit: LocalEdit): boolean => edit.device === device && edit.position > position;
    const gone = this.#edits.filter(isGone);
    this.#edits = this.#edits.filter((edit) => !isGone(edit));
    this.#groups = this.#groups.filter((group) => group.device !== device || group.position <= position);
    return gone;
  }

  /** The last edit of each document on each device. */
  last(): readonly LocalEdit[] {
    const last = new Map(this.#edits.map((edit) => [`${edit.device} ${edit.key}`, edit]));
    return Array.from(last.values());
  }
}
