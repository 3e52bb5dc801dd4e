import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'second', test, hooks: { beforeAll, beforeEach, afterAll }, store: 'sqlite' });
