import { join } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import { systemRuntime } from '../../core/runtime.ts';
import { ShiftableRuntime } from '../../core/shiftable-runtime.ts';
import { loadHandlers } from '../../server/handlers/load-handlers.ts';
import { openServer } from '../../server/open-server.ts';
import { WELL_KNOWN_KEY, type ServerOptions } from '../../server/server-options.ts';
import type { Backend } from '../../store/backend.ts';
import type { PostgresBackend } from '../../stores/postgres/postgres-backend.ts';
import { consoleLogger } from '../console-logger.ts';
import { openStore } from '../open-store.ts';
import { parseStoreAddress } from '../store-address.ts';
import { postgresOptionsOf } from './postgres-options-of.ts';
import type { ServedMetrics } from './serve-metrics.ts';
import { readyJson, readyText } from './ready-text.ts';
import { serverOptionsOf, type ServeOptions } from './server-options-of.ts';
import { untilStopped } from './stop-signals.ts';

/** When what most requests need is loaded, unless one came before: the first answer, that about the account, does not wait for it. */
const LOAD_AFTER_MS = 100;

/** Serves a store until the program is asked to stop. */
export async function serveStore(options: ServeOptions): Promise<void> {
  const settings = serverOptionsOf(options, process.env);
  if (parseStoreAddress(options.store).kind === 'cosmos') {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot serve an account: it speaks the protocol itself. Connect to it, or copy it into a local store first.',
    );
  }
  const snapshot = options.restore === undefined ? undefined : await (await import('../snapshot/input-file.ts')).openInput(options.restore);
  const { backend, label, close } = await openStore(options.store, {
    runtime: new ShiftableRuntime(),
    postgres: postgresOptionsOf(options),
  });
  let metrics: ServedMetrics | undefined;
  try {
    if (snapshot !== undefined) {
      const { restoreInto } = await import('../snapshot/restore-into.ts');
      await restoreInto(backend, snapshot, options.replace === true);
    }
    metrics = options.metrics === undefined ? undefined : await metricsOf(options.metrics, backend);
    const telemetry = metrics === undefined ? settings.telemetry : { meter: metrics.meter };
    const server = await openServer({ ...settings, telemetry, backend, logger: consoleLogger });
    const stopped = untilStopped();
    const isWellKnown = settings.key === undefined || settings.key === WELL_KNOWN_KEY;
    const facts = {
      server,
      wellKnownKey: isWellKnown ? WELL_KNOWN_KEY : undefined,
      store: label,
      certificateFile: await certificateFileOf(settings.https),
      metricsUrl: metrics?.url,
    };
    console.log(options.json === true ? readyJson(facts) : readyText(facts));
    // Where that fails, the request that needs it fails, and says so.
    const cancelLoad = systemRuntime.setTimer(LOAD_AFTER_MS, () => void loadHandlers().catch(() => undefined));
    await stopped;
    cancelLoad();
    await server.close();
  } finally {
    await metrics?.close();
    await close();
  }
}

/** Metrics of a server, with the connections of a store that has some. */
async function metricsOf(address: string, backend: Backend): Promise<ServedMetrics> {
  const { parseMetricsAddress, serveMetrics } = await import('./serve-metrics.ts');
  const { connectionStatus } = backend as Partial<Pick<PostgresBackend, 'connectionStatus'>>;
  return serveMetrics(parseMetricsAddress(address), connectionStatus?.bind(backend as PostgresBackend));
}

/** The file that clients are to trust, where the server keeps one. */
async function certificateFileOf(https: ServerOptions['https']): Promise<string | undefined> {
  if (typeof https !== 'object' || !('folder' in https)) {
    return undefined;
  }
  const { CERTIFICATE_FILE } = await import('../../server/kept-certificate.ts');
  return join(https.folder, CERTIFICATE_FILE);
}
