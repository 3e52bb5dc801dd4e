import type { Chain, Edge, EdgeSet } from './edge-set.ts';
import type { Geometry } from './geometry.ts';
import { angleBetween, EQUATORIAL_RADIUS, POLAR_RADIUS } from './vertex.ts';

/*
 * On the unit sphere of the vertices an area of the ellipsoid has the density w(z) = a b sqrt(1 + k z^2), k = (a^2 - b^2) / b^2. The area
 * between an edge and the equator is the integral of W(z) over the longitude, W being the integral of w. With W(z) = a b (z + r(z)) and r a
 * series of odd powers, W = W(1) z + a b (r(z) - r(1) z): the integral of z is the area of a spherical triangle's kind in closed form, and
 * the rest is divisible by 1 - z^2, so it is a polynomial over the angle along the edge, without a singular point at the poles.
 */

const EXCESS: number = (EQUATORIAL_RADIUS ** 2 - POLAR_RADIUS ** 2) / POLAR_RADIUS ** 2;

/** Coefficients of z^3, z^5, ... in r: the binomial series of the root, integrated. What is left out is below 1e-16. */
const SERIES: readonly number[] = (() => {
  const terms: number[] = [];
  let binomial = 1;
  for (let power = 1; power <= 7; power++) {
    binomial *= ((1.5 - power) / power) * EXCESS;
    terms.push(binomial / (2 * power + 1));
  }
  return terms;
})();

const UNIT: number = EQUATORIAL_RADIUS * POLAR_RADIUS;
const HALF_EARTH: number = 2 * Math.PI * UNIT * SERIES.reduce((sum, term) => sum + term, 1);

/** Area of the whole ellipsoid in square metres. */
export const EARTH_AREA: number = 2 * HALF_EARTH;

/** Nodes and weights of Gauss and Legendre on [-1, 1], the positive half of ten. */
const GAUSS: readonly (readonly [node: number, weight: number])[] = [
  [0.14887433898163122, 0.29552422471475287],
  [0.4333953941292472, 0.26926671930999635],
  [0.6794095682990244, 0.21908636251598204],
  [0.8650633666889845, 0.1494513491505806],
  [0.9739065285171717, 0.06667134430868814],
];

/** (r(z) - r(1) z) / (1 - z^2). */
function remainder(z: number): number {
  const square = z * z;
  let sum = 0;
  let powers = 0;
  let power = z;
  for (const term of SERIES) {
    powers += power;
    sum -= term * powers;
    power *= square;
  }
  return sum;
}

/** The mean of the remainder along an arc. */
function meanRemainder({ from, to }: Edge, angle: number): number {
  const sine = Math.sin(angle);
  const zAt = (share: number): number =>
    angle < 1e-6 ? from.z + (to.z - from.z) * share : (from.z * Math.sin((1 - share) * angle) + to.z * Math.sin(share * angle)) / sine;
  return GAUSS.reduce((sum, [node, weight]) => sum + (weight / 2) * (remainder(zAt((1 - node) / 2)) + remainder(zAt((1 + node) / 2))), 0);
}

/** The way from one longitude to another in radians, at most half a turn. */
function turn({ from, to }: Edge): number {
  const degrees = to.longitude - from.longitude;
  return ((degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees) * Math.PI) / 180;
}

/** The area between an edge and the equator in square metres, positive for an edge that runs east in the north. */
function areaBelow(edge: Edge, longitudes: number): number {
  const { from, to } = edge;
  const fromCosine = Math.hypot(from.x, from.y);
  const toCosine = Math.hypot(to.x, to.y);
  const fromTangent = from.z / (1 + fromCosine);
  const toTangent = to.z / (1 + toCosine);
  const excess = 2 * Math.atan2(Math.tan(longitudes / 2) * (fromTangent + toTangent), 1 + fromTangent * toTangent);
  const angle = angleBetween(from, to);
  const stretch = angle < 1e-6 ? 1 : angle / Math.sin(angle);
  const rest = fromCosine * toCosine * Math.sin(longitudes) * stretch * meanRemainder(edge, angle);
  return (HALF_EARTH / (2 * Math.PI)) * excess + UNIT * rest;
}

/** The area to the left of a ring in square metres. */
function ringArea(edges: EdgeSet, { first, end }: Chain): number {
  let below = 0;
  let turned = 0;
  for (let index = first; index < end; index++) {
    const edge = edges.edge(index);
    const longitudes = turn(edge);
    turned += longitudes;
    below += areaBelow(edge, longitudes);
  }
  // A ring around a pole bounds what lies between it and the pole.
  const aroundPole = Math.round(turned / (2 * Math.PI)) % 2 !== 0;
  const area = (aroundPole ? HALF_EARTH : 0) - below;
  return area < 0 ? area + EARTH_AREA : area;
}

/** The area in square metres on the WGS-84 ellipsoid; 0 for points and lines. */
export function areaOf({ edges, chains, polygons }: Geometry): number {
  return polygons.reduce((total, { first, end }) => {
    const rings = chains.slice(first, end).map((ring) => ringArea(edges, ring));
    // What is right of a further ring is cut out.
    return total + rings.slice(1).reduce((area, ring) => area - (EARTH_AREA - ring), rings[0] ?? 0);
  }, 0);
}
