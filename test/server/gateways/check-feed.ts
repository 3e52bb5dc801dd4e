import { documentOf, type Call, type SeenChange } from './history.ts';

/** What one reader of the latest-version feed of a container was given, in order. */
export interface FeedReading {
  readonly name: string;
  readonly container: string;
  /** The one partition key that it follows. */
  readonly pk: string | undefined;
  readonly changes: readonly SeenChange[];
}

/** A document that is there at the end. */
export interface HeldDocument {
  readonly container: string;
  readonly pk: string;
  readonly id: string;
  readonly w: string;
  readonly n: number;
  readonly etag: string;
}

/**
 * Finds what a feed has told wrongly: places that do not grow within a partition key, an order that contradicts that of calls (one had ended before
 * the other began), a version that nobody wrote or with another etag or place than elsewhere, and at its end a document whose last version it has not given.
 */
export function checkFeed(readings: readonly FeedReading[], calls: readonly Call[], held: readonly HeldDocument[]): readonly string[] {
  const problems: string[] = [];
  const writes = new Map(calls.flatMap((call) => (call.w === undefined ? [] : [[call.w, call]])));
  const places = new Map<string, SeenChange>();
  for (const { name, container, pk: followed, changes } of readings) {
    const lastOfKey = new Map<string, number>();
    const latestStart = new Map<string, Call>();
    const last = new Map<string, SeenChange>();
    for (const change of changes) {
      const { pk, id, w, lsn, etag } = change;
      const told = `${name}: ${pk}/${id}, written by ${w}, at ${lsn}`;
      const before = lastOfKey.get(pk) ?? 0;
      if (lsn <= before) {
        problems.push(`${told}: came after ${before} of the same partition key.`);
      }
      lastOfKey.set(pk, lsn);
      last.set(`${pk}/${id}`, change);
      const known = places.get(w) ?? change;
      if (known.lsn !== lsn || known.etag !== etag || known.n !== change.n) {
        problems.push(`${told} with ${etag}: elsewhere it is at ${known.lsn} with ${known.etag}.`);
      }
      places.set(w, known);
      const call = writes.get(w);
      if (call === undefined || call.outcome === 'refused' || documentOf(call) !== `${container}/${pk}/${id}`) {
        problems.push(`${told}: nobody has written that.`);
        continue;
      }
      if (call.etag !== undefined && call.etag !== etag) {
        problems.push(`${told}: has the etag ${etag}, and its writer was told ${call.etag}.`);
      }
      const latest = latestStart.get(pk) ?? call;
      if (call.end < latest.start) {
        problems.push(`${told}: came after the version of ${latest.w}, which was written later.`);
      }
      latestStart.set(pk, latest.start > call.start ? latest : call);
    }
    for (const document of held) {
      if (document.container === container && (followed === undefined || followed === document.pk)) {
        const seen = last.get(`${document.pk}/${document.id}`);
        if (seen?.etag !== document.etag || seen.w !== document.w) {
          problems.push(`${name}: ${documentOf(document)} is as ${document.w} left it, and last seen was ${seen?.w ?? 'nothing'}.`);
        }
      }
    }
  }
  return problems;
}
