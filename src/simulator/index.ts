/**
 * Deterministic simulation of devices, users, lines, clocks, disks and a remote, under one seed.
 *
 * @module
 */
export { DIMENSIONS, type Dimension } from './dimensions/dimensions.ts';
export { MIXES, type Mix } from './dimensions/mixes.ts';
export { simulate } from './simulate.ts';
export type { SimulationOptions, SimulationReport } from './simulation-options.ts';
