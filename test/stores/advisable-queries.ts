import fc from 'fast-check';

/** Queries over some paths, of which an index would help many; `c.kind` has values `k0`, `k1`, … below `kinds`. */
export function advisableQueries(paths: readonly string[], kinds: number): fc.Arbitrary<string> {
  const path = fc.constantFrom(...paths);
  const value = fc.oneof(
    fc.integer({ min: 0, max: 200 }).map(String),
    fc.integer({ min: 0, max: kinds - 1 }).map((k) => `"k${k}"`),
    fc.constant('null'),
  );
  const condition = fc.oneof(
    fc.tuple(path, fc.constantFrom('=', '=', '<', '>', '<=', '!='), value).map((parts) => parts.join(' ')),
    fc.tuple(path, value, value).map(([one, low, high]) => `${one} IN (${low}, ${high})`),
    fc.constant('LENGTH(c.s) > 3'),
  );
  const where = fc.array(condition, { minLength: 1, maxLength: 3 }).map((all) => `WHERE ${all.join(' AND ')}`);
  const order = fc.oneof(
    fc.constant(''),
    path.map((one) => `ORDER BY ${one}`),
    fc.constant('ORDER BY c.kind DESC, c.n DESC'),
  );
  return fc
    .tuple(fc.constantFrom('SELECT c.id', 'SELECT TOP 7 c.id', 'SELECT VALUE COUNT(1)'), where, order)
    .map(([select, filter, sorted]) => (select.includes('COUNT') ? `${select} FROM c ${filter}` : `${select} FROM c ${filter} ${sorted}`));
}
