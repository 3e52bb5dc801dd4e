import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';

/** The number of a document within its container, from the order of creation. */
export const documentId: FunctionEntry = defineFunction({
  name: 'DOCUMENTID',
  family: 'item',
  parameters: [required('item', 'object')],
  result: 'integer',
  summary: 'A number that no other document of the container has; undefined for anything but a whole document.',
  examples: [
    ['IS_INTEGER(DOCUMENTID(c))', true],
    ['DOCUMENTID(c.composition)', undefined],
  ],
  compiled: true,
});
