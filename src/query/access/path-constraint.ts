import { compareStrings } from '../../core/json-order.ts';
import type { IndexRange, IndexValue, RangeEnd } from './access-path.ts';

/** What a condition says of the value at a path. */
export type PathConstraint =
  | { readonly kind: 'values'; readonly values: readonly IndexValue[] }
  | { readonly kind: 'range'; readonly range: IndexRange };

/** Holds for no value. */
export const NO_VALUE: PathConstraint = { kind: 'values', values: [] };

function compareEnds(left: number | string, right: number | string): number {
  return typeof left === 'string' ? compareStrings(left, right as string) : left - (right as number);
}

function isWithin(value: IndexValue, { type, from, to }: IndexRange): boolean {
  if (typeof value !== type || value === undefined || value === null || typeof value === 'boolean') {
    return false;
  }
  const above = from === undefined ? 1 : compareEnds(value, from.value);
  const below = to === undefined ? -1 : compareEnds(value, to.value);
  return (above > 0 || (above === 0 && from?.inclusive === true)) && (below < 0 || (below === 0 && to?.inclusive === true));
}

/** The end that leaves fewer values: `sign` 1 for lower ends, -1 for upper ones. */
function tighter(one: RangeEnd | undefined, other: RangeEnd | undefined, sign: 1 | -1): RangeEnd | undefined {
  if (one === undefined || other === undefined) {
    return one ?? other;
  }
  const order = compareEnds(one.value, other.value) * sign;
  return order > 0 || (order === 0 && !one.inclusive) ? one : other;
}

/** Both constraints at once. */
export function bothConstraints(one: PathConstraint, other: PathConstraint): PathConstraint {
  if (one.kind === 'values' || other.kind === 'values') {
    const [list, filter] = one.kind === 'values' ? [one, other] : [other as PathConstraint & { kind: 'values' }, one];
    const known = filter.kind === 'values' ? new Set(filter.values) : undefined;
    return {
      kind: 'values',
      values: list.values.filter((value) => (filter.kind === 'range' ? isWithin(value, filter.range) : known?.has(value) === true)),
    };
  }
  if (one.range.type !== other.range.type) {
    return NO_VALUE;
  }
  const from = tighter(one.range.from, other.range.from, 1);
  const to = tighter(one.range.to, other.range.to, -1);
  return { kind: 'range', range: { type: one.range.type, from, to } };
}

const LAST_CODE_POINT = 0x10ffff;

/** The strings that begin with a text. */
export function prefixRange(prefix: string): IndexRange {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  while (points.at(-1) === LAST_CODE_POINT) {
    points.pop();
  }
  const last = points.pop();
  // What follows U+D7FF by code point is U+E000: between them lie halves of characters.
  const next = last === undefined ? undefined : last === 0xd7ff ? 0xe000 : last + 1;
  return {
    type: 'string',
    from: { value: prefix, inclusive: true },
    to: next === undefined ? undefined : { value: String.fromCodePoint(...points, next), inclusive: false },
  };
}
