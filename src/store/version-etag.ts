/**
 * Versions up to a position, whose etags begin with one incarnation. A container has one for each time that it was restored: what it held then keeps
 * its etags, and what is written later has others.
 */
export interface EtagEra {
  readonly upTo: number;
  readonly incarnation: string;
}

/** The etag of a version, with its quotes: never given twice, since no two containers share an incarnation and no two versions a position. */
export function versionEtag(incarnation: string, position: number, ts: number): string {
  return `"${incarnation}-${position}-${ts.toString(36)}"`;
}

/** The incarnation of a version: that of the first era that reaches to it, otherwise that of now. */
export function incarnationAt(eras: readonly EtagEra[], position: number, current: string): string {
  for (const { upTo, incarnation } of eras) {
    if (position <= upTo) {
      return incarnation;
    }
  }
  return current;
}

/** The eras of a container whose newest version has a position, as a restored one takes them over; one without versions is left out. */
export function erasUpTo(eras: readonly EtagEra[], current: string, position: number): readonly EtagEra[] {
  const last = eras.at(-1)?.upTo ?? 0;
  return position > last ? [...eras, { upTo: position, incarnation: current }] : eras;
}
