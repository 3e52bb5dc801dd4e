import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { operationNames } from '../operations.ts';
import { ROUTES } from '../routes.ts';
import type { ChaosRule, ChaosRules } from './chaos-rules.ts';
import { matchesOperation } from './matches-operation.ts';

const MAX_RULES = 100;
const MAX_MS = 3_600_000;
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

const RULES_MEMBERS: readonly string[] = ['seed', 'rules'];
const RULE_MEMBERS: readonly string[] = [
  'id',
  'operation',
  'method',
  'database',
  'container',
  'headers',
  'rate',
  'skip',
  'count',
  'effect',
];
/** Members of effects, by kind. */
const EFFECTS: Readonly<Record<string, readonly string[]>> = {
  status: ['status', 'subStatus', 'retryAfterMs', 'applied'],
  delay: ['delayMs', 'jitterMs'],
  drop: [],
  cut: ['at'],
  slow: ['durationMs'],
  truncate: ['keep'],
};

function invalid(where: string, what: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', `Cannot use the chaos rules: ${where} ${what}.`);
}

/** Where a rule is, and what it is called. */
function placeOf(rule: unknown, index: number): string {
  const id = isJsonObject(rule) ? rule['id'] : undefined;
  return typeof id === 'string' && id !== '' ? `rules[${index}] (${JSON.stringify(id.slice(0, 50))})` : `rules[${index}]`;
}

function objectAt(value: unknown, where: string, members: readonly string[]): JsonObject {
  if (!isJsonObject(value)) {
    throw invalid(where, 'is not an object');
  }
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) {
    throw invalid(where, `has a member ${JSON.stringify(unknown.slice(0, 50))}; it takes ${members.join(', ')}`);
  }
  return value;
}

function checkNumber(value: unknown, where: string, min: number, max: number, whole = true): void {
  if (value !== undefined && !(typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value)))) {
    throw invalid(where, `is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  }
}

function checkText(value: unknown, where: string): void {
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw invalid(where, 'is not a text');
  }
}

function textsAt(value: unknown, where: string): readonly string[] {
  const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (value !== undefined && (list.length === 0 || !list.every((item) => typeof item === 'string'))) {
    throw invalid(where, 'is neither a text nor a list of texts');
  }
  return list as readonly string[];
}

function checkEffect(value: unknown, where: string): void {
  const kind = isJsonObject(value) ? value['kind'] : undefined;
  const members = typeof kind === 'string' && Object.hasOwn(EFFECTS, kind) ? EFFECTS[kind] : undefined;
  if (members === undefined) {
    throw invalid(where, `has no kind; it is one of ${Object.keys(EFFECTS).join(', ')}`);
  }
  const effect = objectAt(value, where, ['kind', ...members]);
  const required = members[0];
  if (required !== undefined && required !== 'keep' && effect[required] === undefined) {
    throw invalid(where, `has no ${required}`);
  }
  checkNumber(effect['status'], `${where}.status`, 400, 599);
  checkNumber(effect['subStatus'], `${where}.subStatus`, 0, 99_999);
  for (const name of ['retryAfterMs', 'delayMs', 'jitterMs', 'durationMs']) {
    checkNumber(effect[name], `${where}.${name}`, 0, MAX_MS, false);
  }
  checkNumber(effect['keep'], `${where}.keep`, 0, 0.999, false);
  if (effect['applied'] !== undefined && typeof effect['applied'] !== 'boolean') {
    throw invalid(`${where}.applied`, 'is neither true nor false');
  }
  if (kind === 'cut' && effect['at'] !== 'request' && effect['at'] !== 'answer') {
    throw invalid(`${where}.at`, 'is neither "request" nor "answer"');
  }
}

function checkRule(value: unknown, where: string, operations: readonly string[]): void {
  const rule = objectAt(value, where, RULE_MEMBERS);
  for (const name of ['id', 'database', 'container']) {
    checkText(rule[name], `${where}.${name}`);
  }
  for (const pattern of textsAt(rule['operation'], `${where}.operation`)) {
    if (!operations.some((name) => matchesOperation(pattern, name))) {
      throw invalid(
        `${where}.operation`,
        `is ${JSON.stringify(pattern.slice(0, 50))}, which is none. Operations: ${operations.join(', ')}`,
      );
    }
  }
  for (const method of textsAt(rule['method'], `${where}.method`)) {
    if (!METHODS.has(method)) {
      throw invalid(`${where}.method`, `is not one of ${Array.from(METHODS).join(', ')}`);
    }
  }
  const { headers } = rule;
  if (
    headers !== undefined &&
    !(isJsonObject(headers) && Object.values(headers).every((wanted) => typeof wanted === 'string' || wanted === true))
  ) {
    throw invalid(`${where}.headers`, 'is not an object whose members are texts, or true');
  }
  checkNumber(rule['rate'], `${where}.rate`, 0, 1, false);
  checkNumber(rule['skip'], `${where}.skip`, 0, Number.MAX_SAFE_INTEGER);
  checkNumber(rule['count'], `${where}.count`, 0, Number.MAX_SAFE_INTEGER);
  checkEffect(rule['effect'], `${where}.effect`);
}

/** Checks rules, which may come from a file or a request. @throws INVALID_OPTION, which names the place */
export function checkChaosRules(value: unknown): ChaosRules {
  const { seed, rules } = objectAt(value, 'they', RULES_MEMBERS);
  if (seed !== undefined && typeof seed !== 'string' && !(typeof seed === 'number' && Number.isFinite(seed))) {
    throw invalid('seed', 'is neither a number nor a text');
  }
  if (!Array.isArray(rules) || rules.length > MAX_RULES) {
    throw invalid('rules', `is not a list of at most ${MAX_RULES}`);
  }
  const operations = operationNames(ROUTES);
  const ids = new Set<unknown>();
  for (const [index, rule] of rules.entries()) {
    const where = placeOf(rule, index);
    checkRule(rule, where, operations);
    const id = (rule as ChaosRule).id ?? `rule-${index + 1}`;
    if (ids.has(id)) {
      throw invalid(`${where}.id`, 'is the id of an earlier rule');
    }
    ids.add(id);
  }
  return value as unknown as ChaosRules;
}
