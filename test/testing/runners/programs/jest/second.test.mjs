import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'second', test: globalThis.test, store: 'sqlite' });
