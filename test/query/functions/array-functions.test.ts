import { describe, expect, test } from 'vitest';
import { callFunction, testCases, testUndefined } from './function-cases.ts';

describe('array functions', () => {
  testUndefined(
    ['ARRAY_AVG', 'ARRAY_LENGTH', 'ARRAY_MAX', 'ARRAY_MEDIAN', 'ARRAY_MIN', 'ARRAY_SUM'],
    [[undefined], [null], [1], ['[]'], [{ length: 2 }]],
  );
  testUndefined(
    ['ARRAY_CONCAT', 'SETDIFFERENCE', 'SETEQUAL', 'SETINTERSECT', 'SETUNION'],
    [
      [[1], undefined],
      [undefined, [1]],
      [[1], null],
      ['a', [1]],
      [[1], { a: 1 }],
    ],
  );
  testUndefined(['OBJECTTOARRAY'], [[undefined], [null], [[1]], ['a'], [{ a: 1 }, 1], [{ a: 1 }, 'k', null]]);

  testCases([
    ['ARRAY_AVG', [[1, 2, 6]], 3],
    ['ARRAY_AVG', [[]], undefined],
    ['ARRAY_AVG', [[1, null]], undefined],
    ['ARRAY_CONCAT', [[1], [[2]], [3]], [1, [2], 3]],
    ['ARRAY_CONTAINS', [[1, 2], 2], true],
    ['ARRAY_CONTAINS', [[1, 2], '2'], false],
    ['ARRAY_CONTAINS', [[null], null], true],
    ['ARRAY_CONTAINS', [[1, 2], undefined], undefined],
    ['ARRAY_CONTAINS', ['12', '1'], undefined],
    ['ARRAY_CONTAINS', [[{ a: 1, b: 2 }], { b: 2, a: 1 }], true],
    ['ARRAY_CONTAINS', [[{ a: 1, b: 2 }], { a: 1 }], false],
    ['ARRAY_CONTAINS', [[{ a: 1, b: 2 }], { a: 1 }, true], true],
    ['ARRAY_CONTAINS', [[{ a: { b: 1, c: 2 } }], { a: { b: 1 } }, true], false],
    ['ARRAY_CONTAINS', [[1, 2], 2, true], true],
    ['ARRAY_CONTAINS', [[1, 2], 2, 'true'], undefined],
    ['ARRAY_CONTAINS_ALL', [[1, 2, 3], 3, 1], true],
    ['ARRAY_CONTAINS_ALL', [[1, 2, 3], 4, undefined], false],
    ['ARRAY_CONTAINS_ALL', [[1, 2, 3], 1, undefined], undefined],
    ['ARRAY_CONTAINS_ALL', [[], 1], false],
    ['ARRAY_CONTAINS_ALL', [null, 1], undefined],
    ['ARRAY_CONTAINS_ANY', [[1, 2, 3], 9, 3], true],
    ['ARRAY_CONTAINS_ANY', [[1, 2, 3], undefined, 3], true],
    ['ARRAY_CONTAINS_ANY', [[1, 2, 3], undefined, 9], undefined],
    ['ARRAY_CONTAINS_ANY', [[], 1], false],
    ['ARRAY_CONTAINS_ANY', [undefined, 1], undefined],
    ['ARRAY_LENGTH', [[[], []]], 2],
    ['ARRAY_MAX', [[1, 'a', true, null]], 'a'],
    ['ARRAY_MAX', [[null, false]], false],
    ['ARRAY_MAX', [[1, []]], undefined],
    ['ARRAY_MAX', [[]], undefined],
    ['ARRAY_MEDIAN', [[9, 1, 2]], 2],
    ['ARRAY_MEDIAN', [[9, 1, 2, 4]], 3],
    ['ARRAY_MEDIAN', [[1, '2']], undefined],
    ['ARRAY_MEDIAN', [[]], undefined],
    ['ARRAY_MIN', [['b', 'B']], 'B'],
    ['ARRAY_MIN', [[1, 'a', true, null]], null],
    ['ARRAY_MIN', [[1, {}]], undefined],
    ['ARRAY_SLICE', [[1, 2, 3, 4], 1], [2, 3, 4]],
    ['ARRAY_SLICE', [[1, 2, 3, 4], -3, 2], [2, 3]],
    ['ARRAY_SLICE', [[1, 2, 3, 4], -9, 2], [1, 2]],
    ['ARRAY_SLICE', [[1, 2, 3, 4], 4], []],
    ['ARRAY_SLICE', [[1, 2, 3, 4], 0, -1], []],
    ['ARRAY_SLICE', [[1, 2, 3, 4], 0.5], undefined],
    ['ARRAY_SLICE', [[1, 2, 3, 4], 0, 1.5], undefined],
    ['ARRAY_SLICE', ['abc', 0], undefined],
    ['ARRAY_SUM', [[1, 2, 6]], 9],
    ['ARRAY_SUM', [[]], 0],
    ['ARRAY_SUM', [[1, '2']], undefined],
    ['CHOOSE', [2, 'a', 'b'], 'b'],
    ['CHOOSE', [0, 'a', 'b'], undefined],
    ['CHOOSE', [3, 'a', 'b'], undefined],
    ['CHOOSE', [1.5, 'a', 'b'], undefined],
    ['CHOOSE', ['1', 'a', 'b'], undefined],
    ['CHOOSE', [1, 'a', undefined], 'a'],
    ['CHOOSE', [undefined, 'a'], undefined],
    [
      'OBJECTTOARRAY',
      [{ b: 1, a: [2] }],
      [
        { k: 'b', v: 1 },
        { k: 'a', v: [2] },
      ],
    ],
    ['OBJECTTOARRAY', [{ b: 1 }, 'name'], [{ name: 'b', v: 1 }]],
    ['OBJECTTOARRAY', [{ b: 1 }, 'name', 'value'], [{ name: 'b', value: 1 }]],
    ['OBJECTTOARRAY', [{}], []],
    ['IIF', [true, 1, 2], 1],
    ['IIF', [false, 1, 2], 2],
    ['IIF', ['true', 1, 2], 2],
    ['IIF', [null, 1, 2], 2],
    ['IIF', [undefined, 1, 2], undefined],
    ['IIF', [true, 1, undefined], 1],
    ['IIF', [false, 1, undefined], undefined],
    ['SETDIFFERENCE', [[3, 3, 1, 2], [2]], [3, 1]],
    [
      'SETEQUAL',
      [
        [1, { a: 1, b: 2 }],
        [{ b: 2, a: 1 }, 1, 1],
      ],
      true,
    ],
    ['SETEQUAL', [[1], [1, '1']], false],
    [
      'SETINTERSECT',
      [
        [1, 2, 3],
        [3, 1, 3, 9],
      ],
      [3, 1],
    ],
    [
      'SETUNION',
      [
        [2, 1, 2],
        [3, 1],
      ],
      [2, 1, 3],
    ],
  ]);

  test('a partial match does not see inherited names', () => {
    expect(callFunction('ARRAY_CONTAINS', [[{}], { constructor: 1 }, true])).toBe(false);
  });
});
