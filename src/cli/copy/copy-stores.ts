import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContainerReport, CopyProgress, CopyReport } from '../../copy/copy-report.ts';
import type { CopyTimeToLive } from '../../copy/remaining-life.ts';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { safeText } from '../safe-text.ts';
import { jsonText } from '../query/json-text.ts';
import { openStore, type OpenedStore, type OpenStoreOptions } from '../open-store.ts';
import { ProgressPainter } from '../progress-painter.ts';
import { parseStoreAddress } from '../store-address.ts';

/** What the command line of `perigee copy` says. */
export interface CopyCommandOptions {
  readonly database?: string | undefined;
  readonly container?: string | undefined;
  readonly overwrite?: boolean | undefined;
  readonly ttl?: CopyTimeToLive | undefined;
  readonly verify: boolean;
  readonly restart?: boolean | undefined;
  readonly checkpoint?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Both sides were compared and differ; the same code as for other wrong data. */
const EXIT_DIFFERENT = 65;
const EXIT_INTERRUPTED = 130;

/** Where a copy between two stores keeps how far it is, unless told otherwise. */
function checkpointPath(places: readonly string[]): string {
  const name = createHash('sha256').update(JSON.stringify(places)).digest('hex').slice(0, 16);
  return resolve('.perigee', 'copy', `${name}.json`);
}

/** A text that two arguments share when they name one store. */
function placeOf(argument: string): string {
  const address = parseStoreAddress(argument);
  switch (address.kind) {
    case 'memory':
      throw new PerigeeError('INVALID_OPTION', 'Cannot copy from or to memory: it holds nothing outside of one program.');
    case 'sqlite':
      return `sqlite ${resolve(address.path)}`;
    case 'file':
      return `file ${resolve(address.folder)}`;
    case 'cosmos':
      return `cosmos ${new URL(address.endpoint).href}`;
    case 'postgres':
      return `postgres ${address.place}`;
    case 'embedded-postgres':
      return `embedded-postgres ${resolve(address.folder)}`;
    default:
      return address satisfies never;
  }
}

/** Whether two arguments lead to one file or folder, by a link or by two names of it. */
function isOneFile(from: string, to: string): boolean {
  const [left, right] = [from, to].map((argument) => {
    const address = parseStoreAddress(argument);
    const path = address.kind === 'sqlite' ? address.path : 'folder' in address ? address.folder : undefined;
    try {
      return path === undefined ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false });
    } catch {
      // A part of the path is a file, or may not be looked into; opening it says so.
      return undefined;
    }
  });
  return left !== undefined && right !== undefined && left.ino === right.ino && left.dev === right.dev;
}

/** Opens the source so that nobody else writes to it, or else, where that cannot be, to read only. */
async function openSource(argument: string): Promise<OpenedStore> {
  const options: OpenStoreOptions = { key: process.env['PERIGEE_FROM_KEY'], mustExist: true };
  try {
    return await openStore(argument, options);
  } catch (error) {
    const isBusy = isPerigeeError(error, 'STORE_BUSY');
    if (parseStoreAddress(argument).kind === 'file' && (isBusy || isPerigeeError(error, 'STORE_READ_ONLY'))) {
      if (isBusy) {
        console.error('perigee: another program has the folder open; what it writes from now on is not copied.');
      }
      return openStore(argument, { ...options, readOnly: true });
    }
    throw error;
  }
}

/** Copies containers from one store to another, and tells what became of them. */
export async function copyStores(from: string, to: string, options: CopyCommandOptions): Promise<void> {
  const places = [placeOf(from), placeOf(to)];
  if (places[0] === places[1] || isOneFile(from, to)) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot copy a store to itself: name another target.');
  }
  const { copyContainers } = await import('../../copy/copy-containers.ts');
  const { fileCheckpoint } = await import('../../copy/file-checkpoint.ts');
  const controller = new AbortController();
  // Every request under way to a server listens, which is no leak.
  setMaxListeners(0, controller.signal);
  const interrupted = new Error('The copy was interrupted.');
  const onSignal = (): void => controller.abort(interrupted);
  const signals = ['SIGINT', 'SIGTERM'] as const;
  signals.forEach((signal) => process.once(signal, onSignal));
  const painter = new ProgressPainter();
  const source = await openSource(from);
  try {
    const target = await openStore(to, { key: process.env['PERIGEE_TO_KEY'] });
    try {
      const checkpoint = fileCheckpoint(options.checkpoint ?? checkpointPath(places));
      if (options.restart === true) {
        await checkpoint.clear();
      }
      const report = await copyContainers({
        from: source.backend,
        to: target.backend,
        database: options.database,
        container: options.container,
        overwrite: options.overwrite,
        timeToLive: options.ttl,
        verify: options.verify,
        checkpoint,
        signal: controller.signal,
        onProgress: (progress) => painter.paint(() => progressText(progress)),
        onNotice: (text) => painter.say(`perigee: ${text}`),
      });
      painter.clear();
      tell(report, options.json === true);
    } finally {
      painter.clear();
      await target.close();
    }
  } catch (error) {
    if (error !== interrupted) {
      throw error;
    }
    console.error('perigee: interrupted; the same command goes on where it stopped.');
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    signals.forEach((signal) => process.removeListener(signal, onSignal));
    await source.close();
  }
}

function progressText({ database, container, phase, documents, total }: CopyProgress): string {
  // Comparing looks at each document of both sides.
  const all = total === undefined || phase === 'follow' ? '' : ` of ${phase === 'compare' ? total * 2 : total}`;
  return `${phase} ${database}/${container}: ${documents}${all}`;
}

function countsOf(report: ContainerReport): string {
  const parts = [
    `${report.created} created`,
    ...(report.replaced > 0 ? [`${report.replaced} replaced`] : []),
    ...(report.unchanged > 0 ? [`${report.unchanged} unchanged`] : []),
    ...(report.keptNewer > 0 ? [`${report.keptNewer} left, as the target's version is newer (--overwrite replaces them)`] : []),
    ...(report.failed > 0 ? [`${report.failed} failed`] : []),
  ];
  return `${report.resumed ? 'went on where it stopped: ' : ''}${parts.join(', ')}`;
}

const KIND_WORDS = { missing: 'only in the source', different: 'differs', extra: 'only in the target' } as const;

/** Prints what became of a copy and sets the exit code. */
function tell(report: CopyReport, asJson: boolean): void {
  if (!report.equal) {
    process.exitCode = EXIT_DIFFERENT;
  }
  if (asJson) {
    console.log(jsonText(report));
    return;
  }
  for (const one of report.containers) {
    const { comparison } = one;
    const verdict =
      comparison === undefined
        ? 'not compared'
        : comparison.equal
          ? `equal: ${comparison.sourceDocuments} documents on both sides`
          : 'DIFFERENT';
    console.log(`${safeText(`${one.database}/${one.container}`)}: ${countsOf(one)}; ${verdict}`);
    for (const { id, code, message } of one.failures) {
      console.log(safeText(`  failed ${JSON.stringify(id)}: ${message} [${code}]`));
    }
    for (const { kind, id, partitionKey } of comparison?.differences ?? []) {
      console.log(safeText(`  ${KIND_WORDS[kind]}: ${JSON.stringify(id)} in partition ${partitionKey}`));
    }
    if (comparison?.more === true) {
      console.log('  and more');
    }
  }
  if (report.containers.length === 0) {
    console.log('The source holds no container.');
  }
}
