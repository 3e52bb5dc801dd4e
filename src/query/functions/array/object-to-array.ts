import { getOwn, setOwn, type JsonObject } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';

function pairs(object: JsonObject, keyName: string = 'k', valueName: string = 'v'): Argument {
  return Object.keys(object).map((key) => {
    const pair: JsonObject = {};
    setOwn(pair, keyName, key);
    setOwn(pair, valueName, getOwn(object, key));
    return pair;
  });
}

/** The properties of an object as an array. */
export const objectToArray: FunctionEntry = defineFunction({
  name: 'OBJECTTOARRAY',
  aliases: ['OBJECT_TO_ARRAY'],
  family: 'array',
  parameters: [required('object', 'object'), optional('keyName', 'string'), optional('valueName', 'string')],
  result: 'array',
  summary: 'An object for each property, with its name and its value, as `k` and `v` unless named otherwise.',
  examples: [
    [
      'OBJECTTOARRAY({a: 1, b: [2]})',
      [
        { k: 'a', v: 1 },
        { k: 'b', v: [2] },
      ],
    ],
    ["OBJECTTOARRAY({a: 1}, 'name', 'value')", [{ name: 'a', value: 1 }]],
    ["OBJECTTOARRAY({a: 1}, 'name')", [{ name: 'a', v: 1 }]],
    ['OBJECTTOARRAY([1])', undefined],
  ],
  compute: pairs,
});
