import { createHmac } from 'node:crypto';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';

/** The authorization header of a request. @throws URIError for a path that cannot be decoded */
export function sign(method: string, path: string, date: string, key: string = WELL_KNOWN_KEY): string {
  const parts = decodeURIComponent(path)
    .split('/')
    .filter((part) => part !== '');
  const isFeed = parts.length % 2 === 1;
  const named = isFeed ? (parts.at(-1) as string) : (parts.at(-2) ?? '');
  // An operation is signed as its container.
  const [type, link] =
    !isFeed && named === 'operations'
      ? ['colls', parts.slice(0, -2).join('/')]
      : [named, isFeed ? parts.slice(0, -1).join('/') : named === 'offers' ? (parts[1] as string).toLowerCase() : parts.join('/')];
  const text = `${method.toLowerCase()}\n${type}\n${link}\n${date.toLowerCase()}\n\n`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  return encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
}
