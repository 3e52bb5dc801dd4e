import { PerigeeError } from '../../core/errors.ts';
import type { ColumnType, PromotedColumn } from '../../stores/postgres/columns/column-definition.ts';
import { PostgresBackend } from '../../stores/postgres/postgres-backend.ts';
import { interruptible } from '../interruption.ts';
import { openStore } from '../open-store.ts';
import { ProgressPainter } from '../progress-painter.ts';
import { safeText } from '../safe-text.ts';

/** What the command line of `perigee columns` says. */
export interface ColumnCommandOptions {
  readonly database: string;
  readonly container: string;
  readonly json?: boolean | undefined;
}

/** What that of `perigee columns add` says. */
export interface AddColumnOptions extends ColumnCommandOptions {
  readonly unique?: boolean | undefined;
  readonly notNull?: boolean | undefined;
  readonly name?: string | undefined;
}

async function withBackend(
  store: string,
  { json = false }: ColumnCommandOptions,
  work: (backend: PostgresBackend) => Promise<readonly PromotedColumn[]>,
): Promise<void> {
  const { backend, close } = await openStore(store, { mustExist: true });
  try {
    if (!(backend instanceof PostgresBackend)) {
      throw new PerigeeError('NOT_SUPPORTED', 'Only a PostgreSQL has columns. Name one: postgres://USER@HOST/DATABASE.');
    }
    const columns = await work(backend);
    console.log(json ? JSON.stringify({ columns }) : text(columns));
  } finally {
    await close();
  }
}

function text(columns: readonly PromotedColumn[]): string {
  const lines = columns.map(({ name, path, type, unique, notNull, isReady }) =>
    [safeText(path), name, type, ...(unique ? ['unique'] : []), ...(notNull ? ['not null'] : []), ...(isReady ? [] : ['(not ready)'])].join(
      '  ',
    ),
  );
  return lines.length === 0 ? 'no columns' : lines.join('\n');
}

/** Prints the columns of a container. */
export function listColumns(store: string, options: ColumnCommandOptions): Promise<void> {
  return withBackend(store, options, (backend) => backend.listColumns(options.database, options.container));
}

/** Promotes a path to a column, and prints the columns that there are then. */
export function addColumn(store: string, path: string, type: string, options: AddColumnOptions): Promise<void> {
  const { database, container, unique, notNull, name } = options;
  return interruptible('what was done was taken back', (signal) =>
    withBackend(store, options, async (backend) => {
      const painter = new ProgressPainter();
      try {
        const column = { path, type: type as ColumnType, unique, notNull, name };
        return await backend.promoteColumns(database, container, [column], {
          signal,
          onProgress: ({ state, documents }) => painter.paint(() => (state === 'filling' ? `${state}: ${documents} documents` : state)),
        });
      } finally {
        painter.clear();
      }
    }),
  );
}

/** Takes columns away, and prints those that are left. */
export function dropColumns(store: string, names: readonly string[], options: ColumnCommandOptions): Promise<void> {
  return withBackend(store, options, (backend) => backend.dropColumns(options.database, options.container, names));
}
