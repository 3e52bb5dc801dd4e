import fc from 'fast-check';
import { functionTable } from '../../../src/query/functions/function-table.ts';

type Text = fc.Arbitrary<string>;

/** Functions whose answer follows from their arguments alone, and which may stand anywhere. */
const callable = functionTable.filter(
  ({ implemented, aggregate, deterministic, bind, name }) =>
    implemented && !aggregate && deterministic && bind === undefined && !['FULLTEXTSCORE', 'RRF'].includes(name),
);

const POINT = '{"type":"Point","coordinates":[2.35,48.85]}';
const POLYGON = '{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]]]}';
/** What functions of one family or another want to see, so that not every call is undefined. */
const WANTED: Text = fc.constantFrom(
  'c.n',
  'c.s',
  'c.list',
  'c.o',
  'c.a',
  'c.id',
  '"a"',
  '"day"',
  '"ab"',
  '"1"',
  '"[1]"',
  '"2024-02-29T10:20:30.1234567Z"',
  '1',
  '2',
  '0',
  '-1',
  '9223372036854775807',
  'true',
  '[1, 2, "a"]',
  '{"a": 1}',
  'null',
  'undefined',
  POINT,
  POLYGON,
);

/** A call of any function of the table, aliases included. */
export function arbitraryCall(argument: Text): Text {
  const any = fc.oneof({ weight: 3, arbitrary: WANTED }, { weight: 2, arbitrary: argument });
  return fc.constantFrom(...callable).chain(({ name, aliases, minArguments, maxArguments }) => {
    const most = Math.min(maxArguments, minArguments + 2);
    return fc
      .tuple(fc.constantFrom(name, ...aliases), fc.array(any, { minLength: minArguments, maxLength: most }))
      .map(([spelling, given]) => `${spelling}(${given.join(', ')})`);
  });
}
