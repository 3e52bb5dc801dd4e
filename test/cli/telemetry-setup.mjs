/** Sets OpenTelemetry up as a user's module does, with the simplest exporter that there is. */
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = {
  export(spans, done) {
    for (const { name, attributes } of spans) {
      process.stderr.write(`span ${name} ${attributes['http.response.status_code']}\n`);
    }
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
