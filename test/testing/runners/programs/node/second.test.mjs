import { after, before, beforeEach, test } from 'node:test';
import { defineScenario } from '../scenario.mjs';

defineScenario({ name: 'second', test, hooks: { before, beforeEach, after }, store: 'sqlite' });
