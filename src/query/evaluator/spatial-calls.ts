import type { JsonValue } from '../../core/json.ts';
import { distanceBetween } from '../functions/spatial/distance.ts';
import type { Geometry } from '../functions/spatial/geometry.ts';
import { intersects } from '../functions/spatial/intersects.ts';
import { readGeometry } from '../functions/spatial/read-geometry.ts';
import { isWithin } from '../functions/spatial/within.ts';
import { compileRead, type CompileSearchCall } from './search-calls.ts';

function geometryOf(value: JsonValue | undefined): Geometry | undefined {
  const reading = readGeometry(value);
  return typeof reading === 'string' ? undefined : reading;
}

/** A call over two geometries. One that is constant is read, checked and put under its tree once for all documents. */
function compileOverTwo(compute: (first: Geometry, second: Geometry) => JsonValue | undefined): CompileSearchCall {
  return ({ arguments: [firstNode, secondNode] }, [firstValue, secondValue], scope) => {
    const readFirst = compileRead(firstNode, firstValue, scope, geometryOf);
    const readSecond = compileRead(secondNode, secondValue, scope, geometryOf);
    return (frame) => {
      const first = readFirst(frame);
      const second = first === undefined ? undefined : readSecond(frame);
      return first === undefined || second === undefined ? undefined : compute(first, second);
    };
  };
}

/** How calls of functions over two geometries are compiled, by name; they answer what their entries' bodies answer. */
export const SPATIAL_CALLS: ReadonlyMap<string, CompileSearchCall> = new Map([
  ['ST_DISTANCE', compileOverTwo(distanceBetween)],
  ['ST_INTERSECTS', compileOverTwo(intersects)],
  ['ST_WITHIN', compileOverTwo(isWithin)],
]);
