import type { PlanStep } from '../../store/query-explanation.ts';
import type { QueryInput } from '../../store/queries.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkNotSupported, type ConformanceContext } from './conformance-context.ts';
import { load } from './queries.suite.ts';

const WIDTH = 100;

function stepsOf(plan: PlanStep): readonly PlanStep[] {
  return [plan, ...plan.inputs.flatMap(stepsOf)];
}

/** Explanations: that they are about the query that ran, complete, and free of anybody's values. */
export function explainSuite({ test, withStore }: ConformanceContext): void {
  test('explain runs the query and counts what it did', () =>
    withStore(async ({ store }) => {
      await load(store, 20);
      const scoped = await store.explain('SELECT VALUE c.index FROM c WHERE c.index < 5', { partitionKey: 1 });
      checkEqual(scoped.itemsReturned, 1, 'items returned');
      check(scoped.documentsScanned >= 1 && scoped.documentsScanned <= 20, 'documents looked at');
      check(scoped.access !== 'container', 'a query of one partition key does not read the container');
      check(scoped.filter !== 'none', 'a filter');
      check(scoped.requestUnits > 0, 'a charge');
      const paged = await store.explain('SELECT * FROM c', { maxItemCount: 6 });
      checkEqual([paged.itemsReturned, paged.filter], [20, 'none'], 'items of a query without a filter');
      check(paged.pages >= 4, 'at least four pages of six items');
    }));

  test('explain gives the plan as a tree whose root is the result', () =>
    withStore(async ({ store }) => {
      await load(store, 20);
      const { plan, engine, itemsReturned } = await store.explain('SELECT TOP 3 c.index FROM c WHERE c.index > 4 ORDER BY c.index DESC');
      const steps = stepsOf(plan);
      checkEqual([plan.rows, itemsReturned], [3, 3], 'rows of the root');
      for (const operation of ['limit', 'project', 'sort', 'filter']) {
        check(
          steps.some((step) => step.operation === operation),
          `a step "${operation}"`,
        );
      }
      check(engine !== undefined || steps.every(({ runsIn }) => runsIn === 'evaluator'), 'an engine where a step runs in one');
      check(
        steps.every(({ inputs, operation }) => inputs.length > 0 || ['scan', 'index', 'lookup', 'row', 'project'].includes(operation)),
        'leaves that read',
      );
      const constant = await store.explain('SELECT VALUE 1');
      checkEqual([constant.itemsReturned, constant.filter], [1, 'none'], 'a query without FROM');
    }));

  test('explain is text for people, and says the counts', () =>
    withStore(async ({ store }) => {
      await load(store, 20);
      const { text } = await store.explain('SELECT c.pk, COUNT(1) AS n FROM c WHERE c.index >= 0 GROUP BY c.pk');
      check(text.includes('7 items'), 'the number of items in the text');
      const plan = text.split('\nAdvice:')[0] as string;
      const long = plan.split('\n').filter((line) => line.length > WIDTH);
      checkEqual(long, [], `lines longer than ${WIDTH} characters`);
    }));

  test('explain holds no value of a query, a parameter or a document', () =>
    withStore(async ({ store }) => {
      const secret = 'a-secret-value';
      await store.create({ id: 'a', pk: 1, secret, nested: { secret }, list: [secret] });
      const inputs: readonly QueryInput[] = [
        `SELECT * FROM c WHERE c.secret = "${secret}"`,
        { query: 'SELECT c.nested FROM c WHERE c.nested.secret IN (@a, "x")', parameters: [{ name: '@a', value: secret }] },
        `SELECT VALUE t FROM t IN c.list WHERE CONTAINS(t, '${secret}') OR t LIKE "${secret}%"`,
        `SELECT DISTINCT VALUE {"key": "${secret}", list: ["${secret}"]} FROM c JOIN t IN c.list WHERE REVERSE(t) != "${secret}"`,
        `SELECT c.secret ?? "${secret}" AS s, COUNT(1) AS n FROM c WHERE STARTSWITH(c.secret, "${secret}") GROUP BY c.secret ?? "${secret}"`,
        `SELECT TOP 5 * FROM c WHERE c.secret >= '${secret}' ORDER BY c.secret -- ${secret}`,
      ];
      for (const input of inputs) {
        const explanation = JSON.stringify(await store.explain(input));
        check(!explanation.includes(secret), `no value in the explanation of ${typeof input === 'string' ? input : input.query}`);
      }
    }));

  test('explain has the engine measure its statement where it can', () =>
    withStore(async ({ store }) => {
      await load(store, 20);
      const query = 'SELECT VALUE c.index FROM c WHERE c.index < 5';
      if (!store.capabilities.measuredPlans) {
        await checkNotSupported(() => store.explain(query, { analyze: true }), 'measuredPlans');
        return;
      }
      const { measured, itemsReturned, text } = await store.explain(query, { analyze: true });
      checkEqual([itemsReturned, measured?.rows], [5, 5], 'rows that were returned and measured');
      check((measured?.documentsRead ?? 0) >= 5 && (measured?.steps.length ?? 0) > 0, 'documents read, and steps');
      check(text.includes('Measured'), 'the measurement in the text');
      checkEqual((await store.explain(query)).measured, undefined, 'nothing is measured unless it is asked for');
    }));

  test('explain refuses what cannot run', () =>
    withStore(async ({ store }) => {
      await checkRejects(store.explain('SELECT'), 'QUERY_SYNTAX', 'a query that does not parse');
      await checkRejects(store.explain('SELECT nothing.a FROM c'), 'QUERY_INVALID', 'a query with a name that is not there');
    }));
}
