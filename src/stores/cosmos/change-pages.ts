import { PerigeeError, isPerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { latestChange, type Change, type ChangePage } from '../../store/changes.ts';
import type { StoredDocument } from '../../store/document.ts';
import { epkRangeOfPrefix, FULL_EPK_RANGE } from '../../store/effective-partition-key.ts';
import { partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import { badResponse } from './cosmos-errors.ts';
import { sdkPartitionKey, sessionOption, type ContainerLink } from './container-link.ts';
import { bindingOf, formatToken, parseToken } from './opaque-token.ts';
import { rangeHeaders } from './query-pages.ts';

/** Where one stretch of the feed stands: behind an etag, at the beginning, at the end, or at a time. */
type Position = { readonly etag: string } | { readonly timeMs: number } | 'beginning' | 'now';

/** A stretch of the feed that has its own position: a partition key, or a range of effective partition keys. */
interface Stretch {
  readonly min: string;
  readonly max: string;
  readonly position: Position;
}

interface PhysicalRange extends EpkRange {
  readonly id: string;
}

interface FeedAnswer {
  readonly documents: readonly JsonValue[];
  readonly etag: string;
  readonly requestUnits: number;
  readonly session: string | undefined;
}

/** How often a page starts over because ranges split under it. */
const SPLITS_FOLLOWED = 5;

function bindingFor(link: ContainerLink, request: ChangesRequest): string {
  const { databaseId, rid, definition } = link.info;
  const { partitionKey, range, mode } = request;
  return bindingOf(
    JSON.stringify([
      databaseId,
      definition.id,
      rid,
      mode,
      partitionKey === undefined ? null : partitionKeyText(partitionKey),
      range === undefined ? null : [range.min, range.max],
    ]),
  );
}

function isStretch(value: unknown): value is Stretch {
  if (!isJsonObject(value) || typeof value['min'] !== 'string' || typeof value['max'] !== 'string') {
    return false;
  }
  const { position } = value;
  return (
    position === 'beginning' ||
    position === 'now' ||
    (isJsonObject(position) && (typeof position['etag'] === 'string' || typeof position['timeMs'] === 'number'))
  );
}

/** The document of a feed entry, which nobody else holds, without the position that the feed adds. */
function changeOf<T extends object>(entry: Record<string, JsonValue>): Change<T> {
  const position = entry['_lsn'];
  // It comes last, so this costs less than a copy.
  delete entry['_lsn'];
  return latestChange(entry as unknown as StoredDocument<T>, typeof position === 'number' ? position : undefined);
}

/**
 * Reads the change feed page by page.
 *
 * A full partition key is one stretch, read with the partition-key header: no request beside the feed's own, and the service's etag as position. Anything
 * wider is as many stretches as there are physical ranges, read in turn; a range that splits hands its position to its children.
 */
export class ChangePager {
  readonly #link: ContainerLink;
  #ranges: readonly PhysicalRange[] | undefined;

  constructor(link: ContainerLink) {
    this.#link = link;
  }

  /** Reads one page. */
  async readPage<T extends object>(request: ChangesRequest): Promise<ChangePage<T>> {
    const binding = bindingFor(this.#link, request);
    for (let splits = 0; ; splits += 1) {
      try {
        return await this.#readPage<T>(request, binding);
      } catch (error) {
        if (!isPerigeeError(error, 'GONE') || splits === SPLITS_FOLLOWED) {
          throw error;
        }
        this.#ranges = undefined;
      }
    }
  }

  async #readPage<T extends object>(request: ChangesRequest, binding: string): Promise<ChangePage<T>> {
    const key = this.#fullKey(request);
    let stretches = this.#start(request, binding);
    if (key === undefined) {
      stretches = this.#alignToRanges(stretches, await this.#physicalRanges(request));
    }
    let requestUnits = 0;
    let { session } = request;
    const count = stretches.length;
    const documents: JsonValue[] = [];
    for (let turn = 0; turn < count; turn += 1) {
      const [first, ...others] = stretches as [Stretch, ...Stretch[]];
      const answer = await this.#read(request, first, key);
      requestUnits += answer.requestUnits;
      session = answer.session ?? session;
      // The one just read goes to the end, so that a busy range does not starve the others.
      stretches = [...others, { ...first, position: { etag: answer.etag } }];
      documents.push(...answer.documents);
      // "Now" is one moment: every stretch gets its position in the first page.
      if (documents.length > 0 && !stretches.some((stretch) => stretch.position === 'now')) {
        break;
      }
    }
    return this.#page(binding, stretches, documents, documents.length === 0, requestUnits, session);
  }

  #page<T extends object>(
    binding: string,
    stretches: readonly Stretch[],
    documents: readonly JsonValue[],
    caughtUp: boolean,
    requestUnits: number,
    session: string | undefined,
  ): ChangePage<T> {
    return {
      changes: documents.map((document) => changeOf<T>(document as Record<string, JsonValue>)),
      cursor: formatToken(binding, { stretches: stretches as unknown as readonly JsonValue[] }),
      caughtUp,
      requestUnits,
      session,
    };
  }

  #fullKey(request: ChangesRequest): PartitionKey | undefined {
    const { partitionKey, range } = request;
    return range === undefined && partitionKey?.length === this.#link.info.definition.partitionKey.paths.length ? partitionKey : undefined;
  }

  #start(request: ChangesRequest, binding: string): readonly Stretch[] {
    const { from, partitionKey, range } = request;
    if (typeof from === 'object' && 'cursor' in from) {
      const { stretches } = parseToken(from.cursor, binding, 'change feed cursor');
      if (!Array.isArray(stretches) || stretches.length === 0 || !stretches.every(isStretch)) {
        throw new PerigeeError('INVALID_CONTINUATION', 'The change feed cursor is damaged. Start again from the beginning or from a time.');
      }
      return stretches;
    }
    const whole = partitionKey === undefined ? FULL_EPK_RANGE : epkRangeOfPrefix(partitionKey, this.#link.info.definition.partitionKey);
    const min = range !== undefined && range.min > whole.min ? range.min : whole.min;
    const max = range !== undefined && range.max < whole.max ? range.max : whole.max;
    return [{ min, max, position: from }];
  }

  /** Cuts stretches where physical ranges meet. */
  #alignToRanges(stretches: readonly Stretch[], ranges: readonly PhysicalRange[]): readonly Stretch[] {
    return stretches.flatMap((stretch) =>
      ranges
        .filter((range) => range.min < stretch.max && stretch.min < range.max)
        .map((range) => ({
          min: stretch.min > range.min ? stretch.min : range.min,
          max: stretch.max < range.max ? stretch.max : range.max,
          position: stretch.position,
        })),
    );
  }

  async #physicalRanges(request: ChangesRequest): Promise<readonly PhysicalRange[]> {
    if (this.#ranges !== undefined) {
      return this.#ranges;
    }
    const scope = this.#link.scope({
      kind: 'changes',
      what: 'read the partition key ranges',
      partitionKey: undefined,
      mode: 'read',
      options: request,
    });
    return scope.run(async () => {
      const { resources } = await this.#link.container.readPartitionKeyRanges().fetchAll();
      const ranges = (resources as { id?: unknown; minInclusive?: unknown; maxExclusive?: unknown }[] | undefined)?.map((one) => ({
        id: String(one.id),
        min: String(one.minInclusive),
        max: String(one.maxExclusive),
      }));
      if (ranges === undefined || ranges.length === 0) {
        throw badResponse(scope, 'no partition key ranges', scope.answer?.status);
      }
      this.#ranges = ranges;
      return ranges;
    });
  }

  /** The headers of a stretch that is not a partition key. */
  #stretchHeaders(stretch: Stretch): Record<string, string | undefined> {
    const range = this.#ranges?.find((one) => one.min <= stretch.min && stretch.max <= one.max);
    return {
      'x-ms-documentdb-partitionkey': undefined,
      'x-ms-documentdb-partitionkeyrangeid': range?.id,
      ...(range?.min === stretch.min && range.max === stretch.max ? {} : rangeHeaders(stretch)),
    };
  }

  #read(request: ChangesRequest, stretch: Stretch, key: PartitionKey | undefined): Promise<FeedAnswer> {
    const { position } = stretch;
    const scope = this.#link.scope({
      kind: 'changes',
      what: 'read the changes',
      partitionKey: key,
      mode: 'read',
      options: request,
      continued: typeof position === 'object' && 'etag' in position,
      headers: key === undefined ? this.#stretchHeaders(stretch) : {},
    });
    return scope.run(async () => {
      // The older of the SDK's two feeds: it adds no request, and its position is the etag itself.
      const feed = this.#link.container.items.changeFeed<JsonValue>(sdkPartitionKey(key ?? []), {
        ...sessionOption(request),
        maxItemCount: request.maxItemCount,
        ...(position === 'beginning' ? { startFromBeginning: true } : {}),
        ...(typeof position === 'object'
          ? 'etag' in position
            ? { continuation: position.etag }
            : { startTime: new Date(position.timeMs) }
          : {}),
      });
      const response = await feed.fetchNext();
      const etag = scope.answer?.headers['etag'];
      const unchanged = response.statusCode === 304;
      const documents: unknown = unchanged ? [] : response.result;
      if (
        etag === undefined ||
        (!unchanged && response.statusCode !== 200) ||
        !Array.isArray(documents) ||
        !documents.every(isJsonObject)
      ) {
        throw badResponse(scope, 'no page of a change feed', response.statusCode);
      }
      return { documents: documents as readonly JsonValue[], etag, requestUnits: scope.requestUnits, session: scope.session };
    });
  }
}
