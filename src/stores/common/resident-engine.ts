export { checkContainer } from '../../query/check-container.ts';
export { conditionHolds, explainQuery, runQueryPage } from './resident-query.ts';
