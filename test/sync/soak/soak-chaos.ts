import type { ChaosRule, ChaosRules } from '../../../src/server/index.ts';

/** Everything that the engine sends on behalf of its device. */
const WRITES = [
  'execute-batch',
  'execute-bulk',
  'create-document',
  'upsert-document',
  'replace-document',
  'patch-document',
  'delete-document',
];
const READS = ['read-change-feed', 'query-documents', 'read-document', 'list-documents', 'read-container'];

/**
 * Faults of every kind that a line or a service has; none is the fault of a document, so there is no dead letter. About a quarter of the writes meets with one, and
 * `times` as many where a soak is short.
 */
export function soakChaos(seed: string, times: number): ChaosRules {
  const rules: readonly (ChaosRule & { readonly rate: number })[] = [
    { id: 'slow line', rate: 0.05, effect: { kind: 'delay', delayMs: 20, jitterMs: 400 } },
    {
      id: 'throttled',
      operation: [...WRITES, ...READS],
      rate: 0.04,
      effect: { kind: 'status', status: 429, subStatus: 3200, retryAfterMs: 20 },
    },
    { id: 'unavailable', rate: 0.02, effect: { kind: 'status', status: 503 } },
    { id: 'unavailable after a write', operation: WRITES, rate: 0.02, effect: { kind: 'status', status: 503, applied: true } },
    { id: 'timed out after a write', operation: WRITES, rate: 0.02, effect: { kind: 'status', status: 408, applied: true } },
    { id: 'retry with', operation: WRITES, rate: 0.01, effect: { kind: 'status', status: 449 } },
    { id: 'lost answer to a write', operation: WRITES, rate: 0.04, effect: { kind: 'drop' } },
    { id: 'lost answer', operation: READS, rate: 0.01, effect: { kind: 'drop' } },
    { id: 'cut before', rate: 0.02, effect: { kind: 'cut', at: 'request' } },
    { id: 'cut answer', rate: 0.02, effect: { kind: 'cut', at: 'answer' } },
    { id: 'trickling answer', rate: 0.01, effect: { kind: 'slow', durationMs: 400 } },
    { id: 'half an answer', rate: 0.01, effect: { kind: 'truncate', keep: 0.6 } },
  ];
  return { seed, rules: rules.map((rule) => ({ ...rule, rate: rule.rate * times })) };
}
