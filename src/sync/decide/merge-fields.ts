import { PerigeeError } from '../../core/errors.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import type { ConflictPolicy } from './conflict.ts';
import { lastWriteWins, type SidePolicy } from './conflict-policies.ts';
import { mergeObjects, type MergeNode } from './three-way.ts';

/** What {@link mergeFields} knows of the documents. */
export interface MergeFieldsOptions {
  /** Paths of numbers that are added to, such as `/visits` or `/stats/views`: increments of both sides count. */
  readonly counters?: readonly string[] | undefined;
  /** Paths of arrays whose order and repetitions mean nothing, such as `/tags`: additions and removals of both sides count. */
  readonly sets?: readonly string[] | undefined;
  /** Decides a property that both sides changed to different values, and an edit against a deletion; {@link lastWriteWins} unless said otherwise. */
  readonly otherwise?: SidePolicy | undefined;
}

interface GrowingNode {
  kind: MergeNode['kind'];
  readonly members: Map<string, GrowingNode>;
}

function declare(root: GrowingNode, path: string, kind: 'counter' | 'set'): void {
  let names: readonly string[];
  try {
    names = parsePropertyPath(path);
  } catch (cause) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot read the path ${JSON.stringify(path)} of a ${kind}: write it as /name or /name/name.`,
      {
        cause,
      },
    );
  }
  let node = root;
  for (const name of names) {
    let next = node.members.get(name);
    if (next === undefined) {
      next = { kind: 'value', members: new Map() };
      node.members.set(name, next);
    }
    node = next;
    if (node.kind !== 'value') {
      throw overlaps(path);
    }
  }
  if (node.members.size > 0 || path === '/id') {
    throw overlaps(path);
  }
  node.kind = kind;
}

function overlaps(path: string): PerigeeError {
  return new PerigeeError(
    'INVALID_OPTION',
    `The path ${JSON.stringify(path)} is declared twice, or within another one, or is the id. Name each counter and each set once.`,
  );
}

/**
 * A policy that merges by property, over the version that both sides come from: a property that one side changed, added or removed is as that side
 * has it. Objects are merged by member; arrays are values unless declared as sets; counters add up. Where both sides changed a property to different
 * values, `otherwise` decides, for all such properties of the document alike, and the side that lost goes to the journal with the reason `merged`.
 *
 * An edit against a deletion is decided by `otherwise` as a whole, and so is a document whose common version is not known.
 *
 * A counter is changed by whatever ends in another number: `patch(id, key, [{ op: 'incr', path: '/visits', value: 1 }])` as well as a replacement.
 * Increments are neither lost nor counted twice, also where the answer to a write is lost, as long as all who write keep `_perigee`.
 *
 * @throws INVALID_OPTION where a path cannot be read or overlaps another
 * @example
 * ```ts
 * import { lastWriteWins, mergeFields, type Conflict, type MergedDocument } from 'perigee/sync';
 *
 * const policy = mergeFields({ counters: ['/visits'], sets: ['/tags'], otherwise: lastWriteWins });
 * const side = (document: Conflict['local']['document'], timeMs: number): Conflict['local'] => ({
 *   deleted: false, document, stamp: { timeMs, counter: 0, device: 'a' }, write: `${timeMs}`,
 * });
 * const { merged } = policy({
 *   container: 'pages', partitionKey: ['ada'], id: '1',
 *   base: { id: '1', title: 'Home', visits: 10, tags: ['x'] },
 *   local: side({ id: '1', title: 'Home', visits: 12, tags: ['x', 'z'] }, 1),
 *   remote: side({ id: '1', title: 'Start', visits: 11, tags: ['y'] }, 2),
 * }) as MergedDocument;
 * console.log(JSON.stringify(merged)); // -> {"id":"1","title":"Start","visits":13,"tags":["y","z"]}
 * ```
 */
export function mergeFields(options: MergeFieldsOptions = {}): ConflictPolicy {
  const root: GrowingNode = { kind: 'value', members: new Map() };
  for (const path of options.counters ?? []) {
    declare(root, path, 'counter');
  }
  for (const path of options.sets ?? []) {
    declare(root, path, 'set');
  }
  const otherwise = options.otherwise ?? lastWriteWins;
  const policy: ConflictPolicy = (conflict) => {
    const { base, local, remote } = conflict;
    if (base === undefined || local.document === undefined || remote.document === undefined) {
      return otherwise(conflict);
    }
    let winner: 'local' | 'remote' | undefined;
    const merged = mergeObjects(root, base ?? {}, local.document, remote.document, () => (winner ??= otherwise(conflict)));
    return { merged, lost: winner === undefined ? [] : [winner === 'local' ? 'remote' : 'local'] };
  };
  return Object.assign(policy, { needsBase: true });
}
