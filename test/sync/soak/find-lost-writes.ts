import { parseStamp } from '../../../src/core/hybrid-logical-clock.ts';
import { placeOf, textOf, type SoakDocument, type SoakLog, type SoakWrite } from './soak-write.ts';

/** A version that lost, as the journal of a device tells it. */
export interface SoakJournalEntry {
  readonly id: string;
  readonly owner: string;
  /** `null` where a deletion lost. */
  readonly document: SoakDocument | null;
  readonly losingStamp: string;
}

/** What is there when a soak is over. */
export interface SoakEnd {
  readonly logs: readonly SoakLog[];
  /** The documents of the server. */
  readonly documents: readonly SoakDocument[];
  /** The journals of all devices. */
  readonly journal: readonly SoakJournalEntry[];
  /** Documents that wait as dead letters; none, unless something refuses them. */
  readonly deadLetters: readonly SoakDocument[];
}

/** What became of the writes of a soak. */
export interface SoakAccount {
  /** Writes that were acknowledged, or that a device found in its file after a kill. */
  readonly durable: number;
  /** Durable writes that are nowhere, and what is wrong with single versions. */
  readonly problems: readonly string[];
  /** Durable writes that are in what is there at the end: as the version, or as one that it was made from. */
  readonly inEnd: number;
  /** The others that a journal explains. */
  readonly inJournal: number;
  /** Deletions that the end explains: the document is gone, or was made anew. */
  readonly deletions: number;
}

/** Whether a version is one that somebody wrote, word for word. */
function wrongIn(where: string, document: SoakDocument, writes: ReadonlyMap<string, SoakWrite>): string[] {
  const { write, on, text } = document;
  const known = writes.get(write);
  const fits =
    known !== undefined && known.kind !== 'delete' && placeOf(known) === placeOf(document) && known.on === on && text === textOf(write);
  return fits ? [] : [`${where} holds a version of ${placeOf(document)} that nobody wrote: ${JSON.stringify(document)}`];
}

/** A write and all that it was built on, back to where nothing is known; `living`: not beyond a deletion. */
function addAncestors(names: Set<string>, from: string, writes: ReadonlyMap<string, SoakWrite>, living = false): void {
  for (let name: string | null = from; name !== null && !names.has(name);) {
    const write = writes.get(name);
    if (living && write?.kind === 'delete') {
      return;
    }
    names.add(name);
    name = write?.on ?? null;
  }
}

/**
 * Looks for acknowledged writes that are lost. A write is accounted for where a version that is there names it, or names one that was built on it: the
 * version of the server, one that a journal keeps because it lost a conflict, or a dead letter.
 *
 * A deletion leaves no version. It is in force where its document is missing, or where the version that is there was not made from the deleted one:
 * somebody has made the document anew. Otherwise the deleted version came back, and the deletion must be in a journal, under the name of its device.
 * A write that was deleted is accounted for with its deletion.
 */
export function findLostWrites({ logs, documents, journal, deadLetters }: SoakEnd): SoakAccount {
  const writes = new Map(logs.flatMap((log) => log.writes.map((write) => [write.name, write] as const)));
  const outcomes = new Map(logs.flatMap((log) => [...log.outcomes]));
  const problems = [
    ...documents.flatMap((document) => wrongIn('The server', document, writes)),
    ...deadLetters.flatMap((document) => wrongIn('A dead letter', document, writes)),
    ...journal.flatMap(({ document }) => (document === null ? [] : wrongIn('A journal', document, writes))),
  ];
  const living = new Map<string, Set<string>>();
  const inEnd = new Set<string>();
  for (const document of [...documents, ...deadLetters]) {
    const versions = new Set<string>();
    addAncestors(versions, document.write, writes, true);
    living.set(placeOf(document), versions);
    addAncestors(inEnd, document.write, writes);
  }
  const inJournal = new Set<string>();
  const lostDeletions = new Set<string>();
  for (const entry of journal) {
    if (entry.document === null) {
      lostDeletions.add(`${placeOf(entry)} ${parseStamp(entry.losingStamp)?.device}`);
    } else {
      addAncestors(inJournal, entry.document.write, writes);
    }
  }
  const byDeletion = new Set<string>();
  for (const { device, writes: own } of logs) {
    for (const write of own) {
      const outcome = outcomes.get(write.name);
      if (write.kind !== 'delete' || outcome === 'refused' || outcome === 'undone') {
        continue;
      }
      const cameBack = write.on !== null && living.get(placeOf(write))?.has(write.on) === true;
      if (!cameBack) {
        addAncestors(byDeletion, write.name, writes);
      } else if (lostDeletions.has(`${placeOf(write)} ${device}`)) {
        addAncestors(inJournal, write.name, writes);
      }
    }
  }
  const counts = { durable: 0, inEnd: 0, inJournal: 0, deletions: 0 };
  for (const [name, write] of writes) {
    const outcome = outcomes.get(name);
    if (outcome !== 'done' && outcome !== 'kept') {
      continue;
    }
    counts.durable += 1;
    if (inEnd.has(name)) {
      counts.inEnd += 1;
    } else if (inJournal.has(name)) {
      counts.inJournal += 1;
    } else if (byDeletion.has(name)) {
      counts.deletions += 1;
    } else {
      problems.push(`The ${write.kind} ${name} of ${placeOf(write)}, built on ${write.on ?? 'nothing'}, was acknowledged and is lost`);
    }
  }
  return { ...counts, problems };
}
