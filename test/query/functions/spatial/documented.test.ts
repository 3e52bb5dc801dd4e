import { describe, expect, test } from 'vitest';
import { testCases } from '../function-cases.ts';
import { area, call, distance, field, point, polygon } from './shapes.ts';

describe('what the documentation of the service shows', () => {
  // https://learn.microsoft.com/cosmos-db/query/st-area
  test('an area: edges are great elliptic arcs, so it agrees to ten digits', () => {
    expect(area(polygon(field(31.8, -5, 32, -4.7)))).toBeCloseTo(735970283.0522614, -0.5);
  });

  // https://learn.microsoft.com/cosmos-db/query/st-distance: that figure is the length of the great elliptic arc, a little longer
  test('distances', () => {
    const place = point(-122.11758113953535, 47.66901087006131);
    const near = distance(point(-122.12826822304672, 47.63980239335718), place) / 1000;
    const far = distance(point(-96.84368664765994, 46.81297794314663), place) / 1000;
    expect(Math.abs(near / 3.345269817267368 - 1)).toBeLessThan(5e-8);
    expect(Math.abs(far / 1907.438421299902 - 1)).toBeLessThan(5e-8);
  });

  // https://learn.microsoft.com/cosmos-db/query/st-intersects
  test('a road that crosses a campus', () => {
    const road = polygon([
      [-122.13693695285855, 47.64996065621003],
      [-122.1351662656516, 47.64627863318731],
      [-122.13488295569863, 47.646326350048696],
      [-122.1366182291613, 47.650016321952904],
    ]);
    const campus = polygon([
      [-122.14034847687708, 47.6494835188378],
      [-122.14014779899375, 47.64625477474044],
      [-122.13256925774829, 47.646207057813655],
      [-122.13254564858545, 47.64941990019193],
    ]);
    expect(call('ST_INTERSECTS', road, campus)).toBe(true);
    expect(call('ST_WITHIN', road, campus)).toBe(false);
  });

  // https://learn.microsoft.com/cosmos-db/query/st-within
  test('an office within a campus', () => {
    const campus = polygon([
      [-122.13236581015025, 47.64606476313813],
      [-122.13221982500913, 47.633757091363975],
      [-122.11840598103835, 47.641749416109235],
      [-122.12061400629656, 47.64589264786028],
    ]);
    expect(call('ST_WITHIN', point(-122.12824857332558, 47.6395516675712), campus)).toBe(true);
  });

  // https://learn.microsoft.com/cosmos-db/query/st-isvaliddetailed, and its older edition for the ring
  testCases([
    ['ST_ISVALID', [{ type: 'Point', coordinates: [-84.38876194345323, 33.75682784306348] }], true],
    ['ST_ISVALID', [{ type: 'Point', coordinates: [133.7568278430635, -184.38876194345323] }], false],
    ['ST_ISVALIDDETAILED', [{ type: 'Point', coordinates: [-84.38876194345323, 33.75682784306348] }], { valid: true }],
    [
      'ST_ISVALIDDETAILED',
      [{ type: 'Point', coordinates: [133.7568278430635, -184.38876194345323] }],
      { valid: false, reason: 'Latitude values must be between -90 and 90 degrees.' },
    ],
    [
      'ST_ISVALIDDETAILED',
      [
        {
          type: 'Polygon',
          coordinates: [
            [
              [31.8, -5],
              [31.8, -4.7],
              [32, -4.7],
              [32, -5],
            ],
          ],
        },
      ],
      {
        valid: false,
        reason:
          'The Polygon input is not valid because the start and end points of the ring number 1 are not the same. Each ring of a polygon must have the same start and end points.',
      },
    ],
    // "Points and LineStrings results in an area of 0"
    ['ST_AREA', [{ type: 'Point', coordinates: [1, 2] }], 0],
    [
      'ST_AREA',
      [
        {
          type: 'LineString',
          coordinates: [
            [31.8, -5],
            [31.8, -4.7],
          ],
        },
      ],
      0,
    ],
  ]);
});
