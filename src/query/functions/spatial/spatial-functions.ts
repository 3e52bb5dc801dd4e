import type { JsonObject } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';
import { areaOf } from './area.ts';
import { distanceBetween } from './distance.ts';
import type { Geometry } from './geometry.ts';
import { intersects } from './intersects.ts';
import { readGeometry } from './read-geometry.ts';
import { isWithin } from './within.ts';

const SHAPE = required('shape', 'object');
const TWO_SHAPES = [required('first', 'object'), required('second', 'object')] as const;

/** Computes over valid geometries; an invalid one makes the call undefined, as in the service. */
function overTwo(compute: (first: Geometry, second: Geometry) => Argument): (first: JsonObject, second: JsonObject) => Argument {
  return (first, second) => {
    const left = readGeometry(first);
    const right = typeof left === 'string' ? left : readGeometry(second);
    return typeof left === 'string' || typeof right === 'string' ? undefined : compute(left, right);
  };
}

const SQUARE = "{'type': 'Polygon', 'coordinates': [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}";

/** The functions over GeoJSON geometries on the WGS-84 ellipsoid. */
export const spatialFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'ST_AREA',
    family: 'spatial',
    parameters: [SHAPE],
    result: 'number',
    summary: 'The area of a geometry in square metres; 0 for points and lines.',
    examples: [
      [`ROUND(ST_AREA(${SQUARE}) / 1000000)`, 12309],
      ["ST_AREA({'type': 'Point', 'coordinates': [0, 0]})", 0],
      ["ST_AREA({'type': 'Circle', 'coordinates': [0, 0]})", undefined],
    ],
    compute: (shape) => {
      const reading = readGeometry(shape);
      return typeof reading === 'string' ? undefined : areaOf(reading);
    },
  }),
  defineFunction({
    name: 'ST_DISTANCE',
    family: 'spatial',
    parameters: TWO_SHAPES,
    result: 'number',
    summary: 'The length in metres of the shortest path between two geometries; 0 where they intersect.',
    examples: [
      ["ROUND(ST_DISTANCE({'type': 'Point', 'coordinates': [0, 0]}, {'type': 'Point', 'coordinates': [0, 1]}))", 110574],
      [`ST_DISTANCE({'type': 'Point', 'coordinates': [0.5, 0.5]}, ${SQUARE})`, 0],
      ["ST_DISTANCE({'type': 'Point', 'coordinates': [0, 0]}, {'type': 'Point', 'coordinates': [0, 91]})", undefined],
    ],
    indexUse: 'expanded',
    compute: overTwo(distanceBetween),
  }),
  defineFunction({
    name: 'ST_INTERSECTS',
    family: 'spatial',
    parameters: TWO_SHAPES,
    result: 'boolean',
    summary: 'Whether two geometries have a point in common, boundaries included.',
    examples: [
      [`ST_INTERSECTS({'type': 'LineString', 'coordinates': [[0.5, 0.5], [5, 5]]}, ${SQUARE})`, true],
      [`ST_INTERSECTS({'type': 'Point', 'coordinates': [1, 1]}, ${SQUARE})`, true],
      [`ST_INTERSECTS(null, ${SQUARE})`, undefined],
    ],
    indexUse: 'expanded',
    compute: overTwo(intersects),
  }),
  defineFunction({
    name: 'ST_ISVALID',
    family: 'spatial',
    parameters: [required('shape', 'any')],
    result: 'boolean',
    summary: 'Whether a value is a valid GeoJSON Point, LineString, Polygon or MultiPolygon.',
    examples: [
      ["ST_ISVALID({'type': 'Point', 'coordinates': [31.9, -4.8]})", true],
      ["ST_ISVALID({'type': 'Point', 'coordinates': [31.9, -132.8]})", false],
      ['ST_ISVALID(c.missing)', undefined],
    ],
    compute: (shape) => typeof readGeometry(shape) !== 'string',
  }),
  defineFunction({
    name: 'ST_ISVALIDDETAILED',
    family: 'spatial',
    parameters: [required('shape', 'any')],
    result: 'object',
    summary: 'Whether a value is a valid geometry and, if not, why.',
    examples: [
      ["ST_ISVALIDDETAILED({'type': 'Point', 'coordinates': [31.9, -4.8]})", { valid: true }],
      [
        "ST_ISVALIDDETAILED({'type': 'Point', 'coordinates': [31.9, -132.8]})",
        { valid: false, reason: 'Latitude values must be between -90 and 90 degrees.' },
      ],
    ],
    compute: (shape) => {
      const reading = readGeometry(shape);
      return typeof reading === 'string' ? { valid: false, reason: reading } : { valid: true };
    },
  }),
  defineFunction({
    name: 'ST_WITHIN',
    family: 'spatial',
    parameters: TWO_SHAPES,
    result: 'boolean',
    summary: 'Whether no point of the first geometry is outside the second and their interiors meet.',
    examples: [
      [`ST_WITHIN({'type': 'Point', 'coordinates': [0.5, 0.5]}, ${SQUARE})`, true],
      [`ST_WITHIN({'type': 'Point', 'coordinates': [1, 1]}, ${SQUARE})`, false],
    ],
    indexUse: 'expanded',
    compute: overTwo(isWithin),
  }),
];
