import { after, before, beforeEach, test } from 'node:test';
import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'first', test, hooks: { before, beforeEach, after }, store: 'memory' });
