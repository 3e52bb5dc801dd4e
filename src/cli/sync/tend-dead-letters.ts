import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { parsePartitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { DeadLetterExport } from '../../sync/dead-letters/dead-letters.ts';
import type { SyncEngine } from '../../sync/engine.ts';
import { jsonText } from '../query/json-text.ts';
import { safeText } from '../safe-text.ts';
import { keyText, type DocumentName } from './report-text.ts';
import type { EngineSettings } from './sync-settings.ts';
import { withEngine } from './with-engine.ts';

/** What the command line of `perigee sync dead-letters` says. */
export interface DeadLetterSettings extends EngineSettings {
  readonly retry?: string | undefined;
  readonly discard?: string | undefined;
  readonly export?: boolean | undefined;
}

function partitionKeyOf(components: readonly JsonValue[]): PartitionKey {
  return parsePartitionKeyText(JSON.stringify(components));
}

/** Lists what the remote refused, or does something about one of them. Needs no connection. */
export async function tendDeadLetters(settings: DeadLetterSettings): Promise<void> {
  const { retry, discard } = settings;
  if ([retry, discard, settings.export === true ? '' : undefined].filter((one) => one !== undefined).length > 1) {
    throw new PerigeeError('INVALID_OPTION', 'Give only one of --retry, --discard and --export.');
  }
  await withEngine(settings, { decides: discard !== undefined, creates: false, remote: false }, async (engine) => {
    if (retry !== undefined) {
      const key = await findLetter(engine, retry);
      await engine.deadLetters.retry(key);
      console.log(safeText(`${keyText(key)} is sent with the next run.`));
    } else if (discard === undefined) {
      await list(engine, settings);
    } else {
      const key = await findLetter(engine, discard);
      await engine.deadLetters.discard(key);
      console.log(safeText(`${keyText(key)} was given up; its version is in the journal.`));
    }
  });
}

/** The one dead letter with an id. @throws NOT_FOUND, INVALID_OPTION */
async function findLetter(engine: SyncEngine, id: string): Promise<DocumentName> {
  const found: DocumentName[] = [];
  for await (const letter of engine.deadLetters.export()) {
    if (letter.id === id || letter.group?.some((member) => member.id === id) === true) {
      found.push({ container: letter.container, partitionKey: partitionKeyOf(letter.partitionKey), id });
    }
  }
  const [first] = found;
  if (first === undefined) {
    throw new PerigeeError('NOT_FOUND', `There is no dead letter of the document ${JSON.stringify(id)}.`);
  }
  if (found.length > 1) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `There are ${found.length} dead letters with the id ${JSON.stringify(id)}: name one partition key with --scope.`,
    );
  }
  return first;
}

async function list(engine: SyncEngine, settings: DeadLetterSettings): Promise<void> {
  let count = 0;
  for await (const letter of engine.deadLetters.export()) {
    count += 1;
    console.log(
      settings.export === true ? jsonText(letter) : settings.json === true ? jsonText(withoutContent(letter)) : letterText(letter),
    );
  }
  if (count === 0 && settings.export !== true && settings.json !== true) {
    console.log('No dead letters.');
  }
}

/** What a dead letter is, without the documents. */
function withoutContent({ group, ...letter }: DeadLetterExport): object {
  return { ...facts(letter), ...(group === undefined ? {} : { group: group.map(facts) }) };
}

function facts<L extends Pick<DeadLetterExport, 'local' | 'remote'>>({ local, remote, ...rest }: L): object {
  return { ...rest, kind: local === null ? 'delete' : 'put', remote: remote.state };
}

function letterText(letter: DeadLetterExport): string {
  const { code, message, attempts, lastAtMs, local, remote, group = [] } = letter;
  const key = keyText({ ...letter, partitionKey: partitionKeyOf(letter.partitionKey) });
  const times = attempts === 1 ? 'once' : `${attempts} times`;
  const others = group.length === 0 ? '' : `, with ${group.map(({ id }) => JSON.stringify(id)).join(', ')} of the same transaction`;
  return safeText(
    `${key}${others}: ${local === null ? 'deletion ' : ''}refused ${times}, last ${new Date(lastAtMs).toISOString()}, remote ${remote.state}: ${message} [${code}]`,
  );
}
