import { parseDatabaseRid } from '../../store/resource-id.ts';
import type { ResourceLink } from '../resource-link.ts';

const RESOURCE_ID = /^(?:[A-Za-z0-9+-]{4})*(?:[A-Za-z0-9+-]{2}==|[A-Za-z0-9+-]{3}=|[A-Za-z0-9+-]{4})$/u;
/** How many letters of a resource id come from its first four bytes alone, which are its database's. */
const DATABASE_LETTERS = 5;

/**
 * The texts of which a client signs one with a master key: by name, and, where the link may hold resource ids, by the last of them alone.
 *
 * @see https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
 */
export function signedTexts(method: string, link: ResourceLink, date: string): readonly [byName: string, byId?: string] {
  const byName = textByName(method, link, date);
  const rid = lastResourceId(link);
  return rid === undefined ? [byName] : [byName, textOf(method, signedResource(link).type, rid.toLowerCase(), date)];
}

/** The first of {@link signedTexts}: the one by name. */
export function textByName(method: string, link: ResourceLink, date: string): string {
  const { type, resource } = signedResource(link);
  return textOf(method, type, resource, date);
}

function textOf(method: string, type: string, resource: string, date: string): string {
  return `${method.toLowerCase()}\n${type}\n${resource}\n${date.toLowerCase()}\n\n`;
}

/** What of a link is signed: its type, and the parent of a feed, the id of an offer, the container of an operation, or else the whole link. */
function signedResource({ feed, id }: ResourceLink): { readonly type: string; readonly resource: string } {
  if (id === undefined) {
    return { type: feed.type, resource: feed.parent };
  }
  switch (feed.type) {
    case 'offers':
      return { type: feed.type, resource: id.toLowerCase() };
    case 'operations':
      return { type: 'colls', resource: feed.parent };
    default:
      return { type: feed.type, resource: `${feed.path}/${id}` };
  }
}

/** The last id of a link by resource ids; `undefined` for a link by names, which may look like one but do not begin with their database's. */
function lastResourceId({ feed, id }: ResourceLink): string | undefined {
  const database = feed.names[0] ?? id;
  const rid = id ?? feed.names.at(-1);
  return database !== undefined &&
    rid !== undefined &&
    parseDatabaseRid(database) !== undefined &&
    RESOURCE_ID.test(rid) &&
    rid.startsWith(database.slice(0, DATABASE_LETTERS))
    ? rid
    : undefined;
}
