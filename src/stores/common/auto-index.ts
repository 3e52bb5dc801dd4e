import { PerigeeError } from '../../core/errors.ts';
import type { IndexColumn } from '../../query/access/index-definition.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { canIndex, policyOf, type FormOf, type WantedIndex } from './wanted-indexes.ts';

/** What is done about indexes that queries would use and that the policy has only under `/*`: told, made, or nothing. */
export type AutoIndex = 'advise' | 'create' | 'off';

/** Indexes of one container that use may ask for: each costs every write. */
export const MAX_AUTO_INDEXES = 12;
/** An index that nobody used for so long is dropped, and so is, when there are too many, one that nobody used for a day. */
export const DROP_AFTER_SECONDS: number = 30 * 86_400;
const REPLACE_AFTER_SECONDS = 86_400;

/** @throws INVALID_OPTION */
export function checkAutoIndex(value: AutoIndex = 'advise'): AutoIndex {
  if (!(['advise', 'create', 'off'] as readonly unknown[]).includes(value)) {
    throw new PerigeeError('INVALID_OPTION', 'The option autoIndex is "advise", "create" or "off".');
  }
  return value;
}

/** An index as a catalogue has it. */
export interface CataloguedIndex extends WantedIndex {
  /** Whether the policy asks for it, or recorded use. */
  readonly origin: 'policy' | 'auto';
}

/** Whether an index that use asks for may be there: the policy has its paths, and the engine can have it. */
export function mayFollowUse(columns: readonly IndexColumn[], definition: ContainerDefinition, formOf: FormOf): boolean {
  const policy = policyOf(definition);
  return (
    policy !== undefined && columns.every(({ path }) => policy.isIndexed(path) !== 'excluded') && canIndex(columns, definition, formOf)
  );
}

const slot = ({ kind, key }: WantedIndex): string => `${kind} ${key}`;

/** What has to be done for a catalogue to agree with a definition. */
export interface CatalogChange<R> {
  readonly dropped: readonly R[];
  /** Made because of use, and now asked for by the policy. */
  readonly adopted: readonly R[];
  readonly added: readonly WantedIndex[];
}

/** Compares the indexes that there are with those that a policy wants; `mayStay` tells which of those that use asked for stay. */
export function catalogChange<R extends CataloguedIndex>(
  rows: readonly R[],
  wanted: readonly WantedIndex[],
  mayStay: (row: R) => boolean,
): CatalogChange<R> {
  const missing = new Map(wanted.map((index) => [slot(index), index]));
  const dropped: R[] = [];
  const adopted: R[] = [];
  for (const row of rows) {
    const same = missing.get(slot(row));
    if (same !== undefined && same.form === row.form) {
      missing.delete(slot(row));
      adopted.push(...(row.origin === 'policy' ? [] : [row]));
    } else if (same !== undefined || row.origin === 'policy' || !mayStay(row)) {
      dropped.push(row);
    }
  }
  return { dropped, adopted, added: [...missing.values()] };
}

/** Whether an index that use asks for is added, and which one makes room for it. */
export interface RoomForIndex<R> {
  readonly isAdded: boolean;
  readonly dropped?: R;
}

/** Not where the index is there, nor where there are too many that are used; otherwise in place of the one that nobody used for longest. */
export function roomForIndex<R extends CataloguedIndex & { readonly number: number; readonly used_at: number }>(
  rows: readonly R[],
  index: WantedIndex,
  nowSeconds: number,
): RoomForIndex<R> {
  if (rows.some((row) => slot(row) === slot(index))) {
    return { isAdded: false };
  }
  const automatic = rows
    .filter(({ origin }) => origin === 'auto')
    .sort((left, right) => left.used_at - right.used_at || left.number - right.number);
  const [oldest] = automatic;
  if (oldest === undefined || automatic.length < MAX_AUTO_INDEXES) {
    return { isAdded: true };
  }
  return oldest.used_at > nowSeconds - REPLACE_AFTER_SECONDS ? { isAdded: false } : { isAdded: true, dropped: oldest };
}
