import type { JsonObject } from '../../core/json.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource-kind.ts';
import type { CatalogResource } from './server-catalog.ts';

/** A resource of the catalog as clients see it. `more` follows its own members. */
export function catalogJson(kind: ResourceKind, resource: CatalogResource, more: JsonObject = {}): JsonObject {
  const { id, rid, self, etag, ts, members } = resource;
  return { ...members, id, ...more, _rid: rid, _self: self, _etag: etag, ...RESOURCE_KINDS[kind].feeds, _ts: ts };
}
