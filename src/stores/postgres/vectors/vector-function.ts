/**
 * The function of the catalogue by which documents get into a vector index; part of a migration, so never to be changed.
 *
 * `vector_text` is an array of so many numbers as the text of a vector, NULL for anything else, and where a number has more than `digits` digits before
 * its point. `jsonb` writes numbers without exponents, so the pattern tells numbers from all else and bounds them in one go. Whatever it lets through,
 * the extension reads without an error: that is what keeps an index from refusing a write. It needs no extension to be made.
 */
export function vectorFunction(s: string): readonly string[] {
  return [
    `CREATE FUNCTION ${s}.vector_text(value jsonb, dimensions int, digits int) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
BEGIN
  IF jsonb_typeof(value) = 'array' THEN
    IF jsonb_array_length(value) = dimensions THEN
      IF value::text ~ format('^\\[-?[0-9]{1,%1$s}(?:\\.[0-9]+)?(?:, -?[0-9]{1,%1$s}(?:\\.[0-9]+)?)*\\]$', digits) THEN
        RETURN value::text;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END $$`,
  ];
}
