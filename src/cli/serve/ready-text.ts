import { connectionString } from '../../server/connection-string.ts';
import type { PerigeeServer } from '../../server/server-options.ts';

/** What is told of a server that is listening. */
export interface ReadyFacts {
  readonly server: PerigeeServer;
  /** The key, where it is the one that everybody knows; another is never printed. */
  readonly wellKnownKey: string | undefined;
  /** What is served, for people. */
  readonly store: string;
  /** The file with the certificate that clients are to trust; `undefined` where none is kept. */
  readonly certificateFile: string | undefined;
  /** Where metrics are. */
  readonly metricsUrl: string | undefined;
}

/** What a client connects with, ready to paste; `undefined` for a key that is not printed. */
function printedConnection({ server, wellKnownKey }: ReadyFacts): string | undefined {
  return wellKnownKey === undefined ? undefined : connectionString(server.url, wellKnownKey);
}

/** One line of JSON for programs. */
export function readyJson(facts: ReadyFacts): string {
  const { server, store, wellKnownKey } = facts;
  const { url, port, computeGatewayUrl, certificate } = server;
  return JSON.stringify({
    url,
    port,
    computeGatewayUrl,
    key: wellKnownKey,
    connectionString: printedConnection(facts),
    store,
    certificate,
    certificateFile: facts.certificateFile,
    metrics: facts.metricsUrl,
  });
}

/** How clients come to trust the certificate. */
function trustLines({ server, certificateFile }: ReadyFacts): readonly string[] {
  if (server.certificate === undefined) {
    return [];
  }
  return certificateFile === undefined
    ? [`  trust     curl -k ${server.url}/_explorer/emulator.pem > emulator.pem`]
    : [`  trust     NODE_EXTRA_CA_CERTS=${certificateFile}`];
}

/** Some lines for people. */
export function readyText(facts: ReadyFacts): string {
  const { server, store, wellKnownKey } = facts;
  const text = printedConnection(facts) ?? connectionString(server.url, '<the key you gave>');
  return [
    'Perigee serves the Cosmos DB protocol.',
    `  endpoint  ${server.url}`,
    ...(server.computeGatewayUrl === undefined ? [] : [`  compute   ${server.computeGatewayUrl}`]),
    `  key       ${wellKnownKey === undefined ? 'the one you gave' : `${wellKnownKey} (the emulator's, known to everybody)`}`,
    `  store     ${store}`,
    ...trustLines(facts),
    ...(facts.metricsUrl === undefined ? [] : [`  metrics   ${facts.metricsUrl}`]),
    '',
    text,
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}
