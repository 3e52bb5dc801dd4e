export { checkContainer } from '../../query/check-container.ts';
export { conditionMatcher } from './condition-matcher.ts';
export { explainQuery, runQueryPage } from './resident-query.ts';
