import type { ChangeKind } from '../../common/change-kinds.ts';
import type { ContainerNames } from '../names.ts';
import type { PgValue } from '../postgres-database.ts';

/** A change that is to be recorded. */
export interface NewChange {
  readonly position: number;
  readonly ordinal: number;
  readonly kind: ChangeKind;
  readonly atMs: number;
  readonly pk: string;
  readonly id: string;
  readonly epk: string;
  /** The whole partition key as text. */
  readonly key: string;
  /** The version before; `undefined` for a create. */
  readonly before:
    | { readonly position: number; readonly ts: number; readonly expires_at: number | null; readonly body: string }
    | undefined;
}

/**
 * Statements that make the table of a container's recorded versions.
 *
 * A row is one write, by its position, with the version before it. The version after it is what the next write of the document replaced, or else the
 * document itself, so each version is stored once; `previous` leads from a version to the row that replaced it.
 */
export function createVersionTable({ versions, documents }: ContainerNames): readonly string[] {
  const number = /\d+$/u.exec(documents)?.[0] ?? '';
  return [
    `CREATE TABLE ${versions} (
      position bigint PRIMARY KEY,
      ordinal bigint NOT NULL,
      kind bigint NOT NULL,
      at_ms bigint NOT NULL,
      pk text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      epk text COLLATE "C" NOT NULL,
      key text NOT NULL,
      previous bigint,
      previous_ts bigint,
      previous_expires_at bigint,
      previous_body text
    )`,
    `CREATE INDEX v${number}_pk ON ${versions} (pk, position)`,
    `CREATE INDEX v${number}_previous ON ${versions} (previous) WHERE previous IS NOT NULL`,
  ];
}

/** The statement that records changes, and its values. */
export function recordStatement({ versions }: ContainerNames, changes: readonly NewChange[]): { text: string; values: readonly PgValue[] } {
  const types = ['bigint', 'bigint', 'bigint', 'bigint', 'text', 'text', 'text', 'text', 'bigint', 'bigint', 'bigint', 'text'];
  return {
    text: `INSERT INTO ${versions} SELECT * FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})`,
    values: [
      changes.map(({ position }) => position),
      changes.map(({ ordinal }) => ordinal),
      changes.map(({ kind }) => kind),
      changes.map(({ atMs }) => atMs),
      changes.map(({ pk }) => pk),
      changes.map(({ id }) => id),
      changes.map(({ epk }) => epk),
      changes.map(({ key }) => key),
      changes.map(({ before }) => before?.position ?? null),
      changes.map(({ before }) => before?.ts ?? null),
      changes.map(({ before }) => before?.expires_at ?? null),
      changes.map(({ before }) => before?.body ?? null),
    ],
  };
}
