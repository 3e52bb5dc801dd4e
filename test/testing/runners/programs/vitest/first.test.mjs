import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'first', test, hooks: { beforeAll, beforeEach, afterAll }, store: 'memory' });
