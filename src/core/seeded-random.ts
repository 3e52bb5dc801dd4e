/** Draws 32-bit whole numbers. */
export type RandomWords = () => number;

/** FNV-1a of the code units of a text: turns any seed text into a number. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * A small generator (sfc32) with 128 bits of state, so that equal seeds give equal runs on every machine. Not for secrets.
 *
 * @see Chris Doty-Humphrey, PractRand: sfc32
 */
export function seededRandom(seed: number | string): RandomWords {
  let a = typeof seed === 'number' ? seed >>> 0 : hashText(seed);
  let b = typeof seed === 'number' ? Math.floor(seed / 0x100000000) >>> 0 : hashText(`${seed}#`);
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  // The first words still show the seed.
  for (let round = 0; round < 15; round += 1) {
    next();
  }
  return next;
}
