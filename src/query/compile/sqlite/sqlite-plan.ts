import type { CompilePlan } from '../common/plan-cache.ts';
import { planCompiler, type SqlPlan } from '../common/sql-plan.ts';
import { compileAggregates } from './compile-aggregates.ts';
import { compileFilter, type SqliteCompileOptions } from './compile-filter.ts';
import { compileOrderBy } from './compile-order-by.ts';
import { compileProjection } from './compile-projection.ts';

/** Compiles every part of a query that SQLite can run. */
export const compileSqlitePlan: CompilePlan<SqlPlan, SqliteCompileOptions> = planCompiler({
  filter: compileFilter,
  orderBy: compileOrderBy,
  aggregates: compileAggregates,
  projection: compileProjection,
});
