/*
 * Writes pairs of documents to a folder for ever, each pair as one batch, and prints the number of each write once it is acknowledged.
 * Arguments: folder, number of the first write, milliseconds after which files are tidied, kind (batch, hold: write one pair and keep the folder).
 */
import { writeSync } from 'node:fs';
import { openFileBackend } from '../../../../src/stores/file/file-backend.ts';
import { pairWrite } from './pair-write.ts';

const [folder = '', first = '1', foldAfterMs = '1', kind = 'batch'] = process.argv.slice(2);
const backend = await openFileBackend({ folder, foldAfterMs: Number(foldAfterMs) });
const store = await backend.container('shop', 'pairs');
for (let number = Number(first); ; number += 1) {
  await store.batch('p', pairWrite(number));
  // Straight to the pipe: a buffered line could be lost with the process, and the test would then expect too little.
  writeSync(1, `${number}\n`);
  if (kind === 'hold') {
    setInterval(() => undefined, 1000);
    break;
  }
  if (number % 5 === 0) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}
