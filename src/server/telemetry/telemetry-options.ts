/** A `Tracer` of `@opentelemetry/api`, which need not be installed otherwise. */
export interface TracerLike {
  startSpan(name: string): object;
}

/** A `Meter` of `@opentelemetry/api`. */
export interface MeterLike {
  createHistogram(name: string): object;
  createCounter(name: string): object;
  createUpDownCounter(name: string): object;
}

/** Where spans and metrics of a server go; those that are registered globally unless said otherwise. */
export interface TelemetryOptions {
  readonly tracer?: TracerLike | undefined;
  readonly meter?: MeterLike | undefined;
}
