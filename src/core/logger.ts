/** Severity of a log record, from chatty to fatal. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The port through which Perigee logs. An application adapts its own logger to it (pino, winston and `console` fit in one line).
 *
 * `fields` never hold document content, parameters, tokens or connection strings.
 */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A logger that drops everything; the default. */
export const silentLogger: Logger = { log: () => undefined };
