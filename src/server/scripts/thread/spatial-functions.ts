import { spatialFunctions } from '../../../query/functions/spatial/spatial-functions.ts';
import type { JsonValue } from '../../../core/json.ts';

/** A spatial function by its name in scripts, on JSON of its arguments; JSON of its result, `undefined` for undefined. */
export type Spatial = (name: string, argumentsJson: string) => string | undefined;

/** The functions under `__.spatial` by the names of the query language. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['distance', 'ST_DISTANCE'],
  ['intersects', 'ST_INTERSECTS'],
  ['isValid', 'ST_ISVALID'],
  ['isValidDetailed', 'ST_ISVALIDDETAILED'],
  ['within', 'ST_WITHIN'],
]);

export const callSpatial: Spatial = (name, argumentsJson) => {
  const entry = spatialFunctions.find((one) => one.name === NAMES.get(name));
  const result = entry?.evaluate?.(...(JSON.parse(argumentsJson) as JsonValue[]));
  return result === undefined ? undefined : JSON.stringify(result);
};
