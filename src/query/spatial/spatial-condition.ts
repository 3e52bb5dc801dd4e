import { documentPath, type ConditionScope } from '../access/condition-reader.ts';
import { conjunctsOf, isDocumentSource, readerOf } from '../compile/common/query-shape.ts';
import { rowsMayFail } from '../may-fail.ts';
import { constantOf } from '../compile/common/constant-folder.ts';
import { boundingBox, boxAround, type BoundingBox } from '../functions/spatial/bounding-box.ts';
import { readGeometry } from '../functions/spatial/read-geometry.ts';
import { leftSpine } from '../left-spine.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { CallNode, ExpressionNode, QueryParameter } from '../syntax-nodes.ts';

/** What WHERE says of places, as far as boxes can tell: it holds for each document that passes, and for others. */
export type SpatialCondition =
  /** A valid geometry at the path meets the box. */
  | { readonly kind: 'box'; readonly path: readonly string[]; readonly box: BoundingBox }
  | { readonly kind: 'group'; readonly every: boolean; readonly conditions: readonly SpatialCondition[] };

interface Reader {
  readonly scope: ConditionScope;
  /** Whether the geometries at a path have an index. */
  readonly isIndexed: (path: readonly string[]) => boolean;
}

/** The indexed path and the box of a call over a path and a constant, in either order. */
function readPlaces(node: CallNode, { scope, isIndexed }: Reader): { path: readonly string[]; box: BoundingBox } | undefined {
  const [first, second] = node.arguments;
  for (const [place, other] of [
    [first, second],
    [second, first],
  ]) {
    const path = place === undefined ? undefined : documentPath(place, scope);
    const constant = other === undefined ? undefined : constantOf(other, scope);
    if (path !== undefined && constant !== undefined && isIndexed(path)) {
      const reading = readGeometry(constant.value);
      const box = typeof reading === 'string' ? undefined : boundingBox(reading);
      return box === undefined ? undefined : { path, box };
    }
  }
  return undefined;
}

function isCallOf(node: ExpressionNode, ...names: readonly string[]): node is CallNode {
  return node.kind === 'call' && !node.udf && names.includes(node.name.toUpperCase());
}

/** `ST_DISTANCE(path, constant)` that is at most a number of metres. */
function readNear(call: ExpressionNode, most: ExpressionNode, reader: Reader): SpatialCondition | undefined {
  const metres = constantOf(most, reader.scope)?.value;
  const places = isCallOf(call, 'ST_DISTANCE') && typeof metres === 'number' ? readPlaces(call, reader) : undefined;
  const box = places === undefined || typeof metres !== 'number' ? undefined : boxAround(places.box, metres);
  return places === undefined || box === undefined ? undefined : { kind: 'box', path: places.path, box };
}

function readGroup(operator: 'AND' | 'OR', operands: readonly ExpressionNode[], reader: Reader): SpatialCondition | undefined {
  const all = operands.map((operand) => read(operand, reader));
  const conditions = all.filter((condition) => condition !== undefined);
  const every = operator === 'AND';
  const isTold = every ? conditions.length > 0 : conditions.length === all.length;
  return isTold ? { kind: 'group', every, conditions } : undefined;
}

function read(node: ExpressionNode, reader: Reader): SpatialCondition | undefined {
  if (isCallOf(node, 'ST_WITHIN', 'ST_INTERSECTS')) {
    const places = readPlaces(node, reader);
    return places === undefined ? undefined : { kind: 'box', ...places };
  }
  if (node.kind === 'between') {
    return readNear(node.operand, node.high, reader);
  }
  if (node.kind !== 'binary') {
    return undefined;
  }
  switch (node.operator) {
    case '<':
    case '<=':
      return readNear(node.left, node.right, reader);
    case '>':
    case '>=':
      return readNear(node.right, node.left, reader);
    case '=':
      return readNear(node.left, node.right, reader) ?? readNear(node.right, node.left, reader);
    case 'AND':
    case 'OR': {
      const { operator } = node;
      const { first, steps } = leftSpine(node);
      return steps.every((step) => step.node.operator === operator)
        ? readGroup(operator, [first, ...steps.map(({ operand }) => operand)], reader)
        : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * What WHERE says of geometries that have an index; undefined where it says nothing, or where no document may be left out because rows of some
 * may fail.
 */
export function readSpatialCondition(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  computedProperties: ReadonlySet<string>,
  isIndexed: (path: readonly string[]) => boolean,
): SpatialCondition | undefined {
  const query = readerOf(prepared.root);
  const [source] = query.sources;
  if (source === undefined || !isDocumentSource(source) || rowsMayFail(query.node)) {
    return undefined;
  }
  const scope: ConditionScope = {
    prepared,
    parameters: new Map(parameters.map(({ name, value }) => [name, value] as const)),
    slot: source.slot,
    computedProperties,
  };
  const conditions = conjunctsOf(query.where)
    .map((node) => read(node, { scope, isIndexed }))
    .filter((condition) => condition !== undefined);
  return conditions.length === 0 ? undefined : { kind: 'group', every: true, conditions };
}
