/**
 * Whether one word becomes the other by at most so many insertions, deletions and replacements of characters. Looks at a band along the
 * diagonal only, so its cost grows with the length times the distance.
 */
export function isWithinDistance(left: string, right: string, most: number): boolean {
  const long = left.length - right.length;
  if (left === right || Math.abs(long) > most) {
    return left === right;
  }
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = Array.from({ length: right.length + 1 }, () => most + 1);
    current[0] = row;
    let best = row;
    for (let column = Math.max(1, row - most); column <= Math.min(right.length, row + most); column += 1) {
      const replaced = (previous[column - 1] as number) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const cost = Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1);
      current[column] = cost;
      best = Math.min(best, cost);
    }
    if (best > most) {
      return false;
    }
    previous = current;
  }
  return (previous[right.length] as number) <= most;
}
