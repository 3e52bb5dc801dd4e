import type { JsonObject } from '../../core/json.ts';
import type { SystemProperties } from '../../store/document.ts';
import { containerSelf, documentRid, documentSelf } from '../../store/resource-id.ts';
import { incarnationAt, versionEtag, type EtagEra } from '../../store/version-etag.ts';

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

  /** The document of a stored text, with its system properties. */
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties {
    return Object.assign(JSON.parse(body) as JsonObject, this.systemProperties(ordinal, position, ts));
  }
}
