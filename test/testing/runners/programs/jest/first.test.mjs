import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'first', test: globalThis.test, store: 'memory' });
