import type { JsonObject, JsonValue } from '../../../src/core/json.ts';

/** A difference that was found and mended: it stays. */
export interface DifferentialRegression {
  readonly what: string;
  readonly documents: readonly JsonObject[];
  readonly text: string;
  readonly values?: Readonly<Record<string, JsonValue>> | undefined;
}

export const differentialRegressions: readonly DifferentialRegression[] = [];
