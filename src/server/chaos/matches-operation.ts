/** Whether the name of an operation is one that a pattern means; `*` at its beginning or end stands for anything. */
export function matchesOperation(pattern: string, name: string): boolean {
  if (pattern === '*' || pattern === name) {
    return true;
  }
  if (pattern.endsWith('*') && !pattern.startsWith('*')) {
    return name.startsWith(pattern.slice(0, -1));
  }
  return pattern.startsWith('*') && !pattern.endsWith('*') && name.endsWith(pattern.slice(1));
}
