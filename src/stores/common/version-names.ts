import type { JsonObject } from '../../core/json.ts';
import type { SystemProperties } from '../../store/document.ts';
import { containerSelf, documentRid, documentSelf } from '../../store/resource-id.ts';
import type { CurrentVersion } from '../../store/write-rules.ts';
import { incarnationAt, versionEtag, type EtagEra } from '../../store/version-etag.ts';
import type { PreviousVersion } from './applied-write.ts';
import type { ResultRow } from './store-results.ts';

/** Etags and system properties of the documents of one container: they follow from ordinal, position and time, and are stored nowhere else. */
export class VersionNames {
  readonly #rid: string;
  readonly #self: string;
  readonly #incarnation: string;
  readonly #eras: readonly EtagEra[];

  /** @param incarnation sets the etags of the container apart from those of any other @param eras of what it was restored with */
  constructor(rid: string, incarnation: string, eras: readonly EtagEra[]) {
    this.#rid = rid;
    this.#self = containerSelf(rid);
    this.#incarnation = incarnation;
    this.#eras = eras;
  }

  etagOf(position: number, ts: number): string {
    return versionEtag(incarnationAt(this.#eras, position, this.#incarnation), position, ts);
  }

  systemProperties(ordinal: number, position: number, ts: number): SystemProperties {
    const rid = documentRid(this.#rid, ordinal);
    return {
      _rid: rid,
      _self: documentSelf(this.#self, rid),
      _etag: this.etagOf(position, ts),
      _attachments: 'attachments/',
      _ts: ts,
    };
  }

  /** What a write has to know of a living row, which holds its text, to be decided. */
  current({ ordinal, position, ts, body }: ResultRow): CurrentVersion {
    return { etag: this.etagOf(position, ts), read: () => this.documentOf(body as string, ordinal, position, ts) };
  }

  /** A row as what a write replaced or deleted. */
  previous({ ordinal, position, ts, body }: ResultRow): PreviousVersion {
    return { etag: this.etagOf(position, ts), position, ordinal, ts, text: body };
  }

  /** The document of a stored text, with its system properties. */
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties {
    return Object.assign(JSON.parse(body) as JsonObject, this.systemProperties(ordinal, position, ts));
  }
}
