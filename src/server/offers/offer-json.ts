import type { JsonObject } from '../../core/json.ts';
import type { Offer } from './offer-book.ts';
import { contentOfThroughput } from './throughput.ts';

/** An offer as clients see it. */
export function offerJson({ id, owner, throughput, etag, ts }: Offer): JsonObject {
  return {
    resource: owner.self,
    offerType: 'Invalid',
    offerResourceId: owner.rid,
    offerVersion: 'V2',
    content: contentOfThroughput(throughput),
    id,
    _rid: id,
    _self: `offers/${id}/`,
    _etag: etag,
    _ts: ts,
  };
}
