import type { CompilePlan } from '../common/plan-cache.ts';
import { planCompiler, type SqlPlan } from '../common/sql-plan.ts';
import { compileAggregates } from './compile-aggregates.ts';
import { compileFilter, type PostgresCompileOptions } from './compile-filter.ts';
import { compileOrderBy } from './compile-order-by.ts';
import { compileProjection } from './compile-projection.ts';

/** Compiles every part of a query that PostgreSQL can run. Pieces hold `?` for their values and no other `?`; `numberPlaceholders` numbers them. */
export const compilePostgresPlan: CompilePlan<SqlPlan, PostgresCompileOptions> = planCompiler({
  filter: compileFilter,
  orderBy: compileOrderBy,
  aggregates: compileAggregates,
  projection: compileProjection,
});
