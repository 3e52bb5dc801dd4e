/** The parts of {@link entering} that differ. */
export interface Entering {
  /** The quoted schema of the catalogue. */
  readonly s: string;
  /** The container's number. */
  readonly number: number;
  /** The sequence of its positions, as an expression that is a constant. */
  readonly sequence: string;
  /** The parameter with the key of the partition. */
  readonly key: string;
  /** The parameter with the etag of the definition that is known. */
  readonly etag: string;
}

/**
 * The function `enter` of the catalogue as part of a statement, a row `p` with the position: a call of the function takes PostgreSQL a tenth of a write.
 *
 * What is nested is carried out first: a subquery with a volatile function and an OFFSET is neither pulled up nor is its column left out. So the key is locked, then is
 * announced how far positions have come, then the next one is taken. The statement sees the definition that others wait for it to be done with, since it
 * takes its snapshot when it has locked the table. Where that is another one, `enter` itself says so, by its errors.
 */
export function entering({ s, number, sequence, key, etag }: Entering): string {
  const known = `(SELECT etag FROM ${s}.containers WHERE number = ${number}) = ${etag}`;
  const refusing = `${s}.enter(${number}, ${etag}, ${sequence}, ${key}) IS NOT NULL`;
  const locked = `SELECT pg_advisory_xact_lock(hashtextextended(${key}, ${sequence}::oid::bigint)) WHERE CASE WHEN ${known} THEN true ELSE ${refusing} END OFFSET 0`;
  const head = `${s}.signed(coalesce(pg_sequence_last_value(${sequence}), 0) & 4294967295)`;
  const announced = `SELECT pg_advisory_xact_lock_shared(${s}.signed(${sequence}::oid::bigint), ${head}) FROM (${locked}) AS locked OFFSET 0`;
  return `(SELECT nextval(${sequence}) AS p FROM (${announced}) AS announced OFFSET 0) AS entered`;
}
