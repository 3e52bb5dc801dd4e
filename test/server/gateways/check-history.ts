import { checkEtags } from './check-etags.ts';
import { checkFeed, type FeedReading, type HeldDocument } from './check-feed.ts';
import { checkPositions, positionsOfWrites } from './check-positions.ts';
import { checkRegister } from './check-register.ts';
import { settleUnknown } from './settle-unknown.ts';
import { checkVersions } from './check-versions.ts';
import { documentOf, type Call, type SeenVersion } from './history.ts';

/** A whole run, as its clients know it. */
export interface RecordedRun {
  readonly calls: readonly Call[];
  readonly readings: readonly FeedReading[];
  /** What feeds of all versions have given, by container. */
  readonly versions: ReadonlyMap<string, readonly SeenVersion[]>;
  /** What is there at the end, when nobody writes any more. */
  readonly held: readonly HeldDocument[];
  /** A place on the line of calls behind all of them. */
  readonly endPlace: number;
}

/** Everything that is wrong with a run. */
export function checkHistory({ calls, readings, versions, held, endPlace }: RecordedRun): readonly string[] {
  const told = [...versions.values()].flat().flatMap(({ current, lsn }) => (current === undefined ? [] : [{ w: current.w, lsn }]));
  const known = positionsOfWrites(calls, [...readings.flatMap(({ changes }) => changes), ...told]);
  const settled = settleUnknown(calls, known, new Set(versions.keys()));
  const byDocument = new Map<string, Call[]>();
  for (const call of settled.calls) {
    const key = documentOf(call);
    const known = byDocument.get(key);
    if (known === undefined) {
      byDocument.set(key, [call]);
    } else {
      known.push(call);
    }
  }
  const ends = new Map(held.map((document) => [documentOf(document), document]));
  const problems = [...ends.keys()].filter((key) => !byDocument.has(key)).map((key) => `${key}: nobody has written it, and it is there.`);
  for (const [key, own] of byDocument) {
    // What is there at the end is a read after everything else, so a write that was lost shows.
    const end = ends.get(key);
    const found = end === undefined ? undefined : { w: end.w, n: end.n };
    const { container, pk, id } = own[0] as Call;
    const last: Call = { container, pk, id, kind: 'read', start: endPlace, end: endPlace + 1, outcome: 'ok', found, etag: end?.etag };
    const problem = checkRegister([...own, last], settled.positions);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  return [
    ...checkEtags(calls),
    ...checkPositions(calls),
    ...problems,
    ...checkFeed(readings, calls, held),
    ...[...versions].flatMap(([container, told]) => checkVersions(container, told, calls, held)),
  ];
}
