/**
 * For tests: an emulator for test files, the conformance suite of stores, and a simulated clock.
 *
 * @module
 */
export { CheckFailure } from './checks.ts';
export type { ConformanceRunner, OpenedBackend, StoreConformanceOptions } from './conformance/conformance-context.ts';
export type { Emulator } from './emulator/emulator.ts';
export type { EmulatorClientOptions, EmulatorHooks, EmulatorOptions, UseEmulatorOptions } from './emulator/emulator-options.ts';
export { startEmulator } from './emulator/start-emulator.ts';
export { useEmulator } from './emulator/use-emulator.ts';
export { SimulatedRuntime, type SimulatedRuntimeOptions } from './simulated-runtime.ts';
export { storeConformance } from './store-conformance.ts';
