import { inject } from 'vitest';
import type { SharedThing } from './shared-setup.ts';

/** The name of something that all files of this run of vitest share; the first to ask waits until it is made. */
export async function askShared(thing: SharedThing): Promise<string> {
  const response = await fetch(`${inject('shared')}/${thing}`);
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`The ${thing} of this run could not be made: ${text}`);
  }
  return text;
}
