/**
 * Makes a user-defined function one on JSON texts, as the server calls it. Each argument stands in an array of its own, empty for undefined, and
 * so does the result.
 */
export function bindFunction(
  parse: (json: string) => unknown,
  stringify: (value: unknown) => string,
): (fn: (...values: unknown[]) => unknown) => (argumentsJson: string) => string {
  const { apply } = Reflect;
  return (fn) => (argumentsJson) => {
    const given = parse(argumentsJson) as unknown[][];
    const values: unknown[] = [];
    for (let index = 0; index < given.length; index += 1) {
      values[index] = given[index]?.[0];
    }
    const json = stringify(apply(fn, undefined, values));
    return json === undefined ? '[]' : `[${json}]`;
  };
}
