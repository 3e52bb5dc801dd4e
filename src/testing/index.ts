export { CheckFailure } from './checks.ts';
export type { ConformanceRunner, OpenedBackend, StoreConformanceOptions } from './conformance/conformance-context.ts';
export { SimulatedRuntime, type SimulatedRuntimeOptions } from './simulated-runtime.ts';
export { storeConformance } from './store-conformance.ts';
