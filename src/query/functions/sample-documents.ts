import type { JsonObject } from '../../core/json.ts';

/** The documents that the examples of the function table read. */
export const sampleDocuments: readonly JsonObject[] = [
  {
    id: 'io',
    planet: 'Jupiter',
    radiusKm: 1821.6,
    periodHours: 42.5,
    volcanic: true,
    seen: '1610-01-08T19:00:00.0000000Z',
    tags: ['sulfur', 'inner', 'large'],
    visits: [1979, 1995, 2023],
    composition: { crust: 'silicate', core: 'iron' },
    note: 'Its volcanoes throw sulfur hundreds of kilometres high.',
  },
  {
    id: 'titan',
    planet: 'Saturn',
    radiusKm: 2574.7,
    periodHours: 382.7,
    volcanic: false,
    seen: '1655-03-25T00:00:00.0000000Z',
    tags: ['methane', 'large'],
    visits: [1980, 2004],
    composition: { crust: 'ice', core: 'silicate' },
    note: 'Methane rain falls on lakes of methane.',
  },
  {
    id: 'miranda',
    planet: 'Uranus',
    radiusKm: 235.8,
    periodHours: 33.9,
    volcanic: false,
    seen: '1948-02-16T00:00:00.0000000Z',
    tags: ['inner', 'small'],
    visits: [1986],
    composition: { crust: 'ice', core: 'silicate' },
    note: 'A cliff of ice rises twenty kilometres.',
  },
];
