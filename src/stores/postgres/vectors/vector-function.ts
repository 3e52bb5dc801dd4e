/**
 * The function of the catalogue by which documents get into a vector index; part of a migration, so never to be changed.
 *
 * `vector_text` is an array of so many numbers as the text of a vector, and NULL for anything else. A number with more than `digits` digits before its
 * point gives way to the largest that has as many: what is far out stays far out. `jsonb` writes numbers without exponents, so one pattern tells numbers
 * from all else and bounds them. Whatever it gives, the extension reads without an error: that keeps an index from refusing a write. It needs no
 * extension to be made.
 */
export function vectorFunction(s: string): readonly string[] {
  const list = (digits: string): string => {
    const number = `-?[0-9]${digits}(?:\\.[0-9]+)?`;
    return `^\\[${number}(?:, ${number})*\\]$`;
  };
  return [
    `CREATE FUNCTION ${s}.vector_text(value jsonb, dimensions int, digits int) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
  vector text;
BEGIN
  IF jsonb_typeof(value) = 'array' THEN
    IF jsonb_array_length(value) = dimensions THEN
      vector := value::text;
      IF vector ~ format('${list('{1,%1$s}')}', digits) THEN
        RETURN vector;
      ELSIF vector ~ '${list('+')}' THEN
        RETURN regexp_replace(vector, format('(?<![.0-9])[0-9]{%s,}(?:\\.[0-9]+)?', digits + 1), repeat('9', digits), 'g');
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END $$`,
  ];
}
