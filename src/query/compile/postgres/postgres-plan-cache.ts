import type { SqlPlan } from '../common/sql-plan.ts';
import { cachingCompiler, type CompilePlan } from '../common/plan-cache.ts';
import type { PostgresCompileOptions } from './compile-filter.ts';
import { compilePostgresPlan } from './postgres-plan.ts';

/** {@link compilePostgresPlan}, kept for the next page of the same query with the same parameters. A plan is pure data and may be shared. */
export const cachedPostgresPlan: CompilePlan<SqlPlan, PostgresCompileOptions> = cachingCompiler(compilePostgresPlan);
