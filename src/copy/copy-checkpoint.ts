import { isJsonObject, type JsonValue } from '../core/json.ts';

/**
 * Where a copy keeps how far it is. A text saved is the one that is loaded later, whatever happens in between; of a `save` that is interrupted either
 * the text before or the new one remains.
 */
export interface CopyCheckpoint {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
  /** Forgets the text, once everything is copied. */
  clear(): Promise<void>;
}

/** How far the copy of one container is. Everything before it is in the target, and durable there. */
export interface ContainerMark {
  /** The containers themselves, and what was chosen; made again under their names they are others, and the copy begins anew. */
  readonly source: string;
  readonly target: string;
  /** A cursor of the change feed that was taken before the first document was read. */
  readonly cursor: string;
  /** Where the reading of documents goes on; `undefined` when all have been read and the feed follows. */
  readonly continuation: string | undefined;
  /** Whether any page has been read. */
  readonly begun: boolean;
  readonly documents: number;
  /** Documents that the target refused so far: they are behind the mark, and a later run does not meet them again. */
  readonly failed: number;
}

const VERSION = 1;

function readMark(value: JsonValue | undefined): ContainerMark | undefined {
  if (!isJsonObject(value)) {
    return undefined;
  }
  const { source, target, cursor, continuation, begun, documents, failed } = value;
  const isRight = typeof source === 'string' && typeof target === 'string' && typeof cursor === 'string' && typeof documents === 'number';
  if (!isRight || (continuation !== undefined && typeof continuation !== 'string')) {
    return undefined;
  }
  return { source, target, cursor, continuation, begun: begun === true, documents, failed: typeof failed === 'number' ? failed : 0 };
}

/** The marks of all containers of a copy, kept in a {@link CopyCheckpoint}. What cannot be read is as if it were not there: the copy begins anew. */
export class CopyMarks {
  readonly #checkpoint: CopyCheckpoint | undefined;
  readonly #marks = new Map<string, ContainerMark>();

  private constructor(checkpoint: CopyCheckpoint | undefined) {
    this.#checkpoint = checkpoint;
  }

  static async load(checkpoint: CopyCheckpoint | undefined): Promise<CopyMarks> {
    const marks = new CopyMarks(checkpoint);
    const text = await checkpoint?.load();
    let value: unknown;
    try {
      value = text === undefined ? undefined : JSON.parse(text);
    } catch {
      return marks;
    }
    if (isJsonObject(value) && value['version'] === VERSION && isJsonObject(value['containers'])) {
      for (const [name, one] of Object.entries(value['containers'])) {
        const mark = readMark(one);
        if (mark !== undefined) {
          marks.#marks.set(name, mark);
        }
      }
    }
    return marks;
  }

  get(database: string, container: string): ContainerMark | undefined {
    return this.#marks.get(JSON.stringify([database, container]));
  }

  async set(database: string, container: string, mark: ContainerMark): Promise<void> {
    this.#marks.set(JSON.stringify([database, container]), mark);
    await this.#checkpoint?.save(JSON.stringify({ version: VERSION, containers: Object.fromEntries(this.#marks) }));
  }

  async clear(): Promise<void> {
    await this.#checkpoint?.clear();
  }
}
