import type { ResourceKind } from './resource-kind.ts';

/*
 * Resource ids of what the catalog keeps, in the shapes of Cosmos DB: below a database, 4 bytes of the database and 4 of a user (whose highest bit is
 * clear, unlike a container's); a permission has its user's 8 and 8 of its own; a client encryption key has its database's 4, 4 that are zero, 4 of
 * its own and a type; below a container, its 8 bytes and 8 whose highest four bits are a type. In text, base64 with `-` for `/`.
 */

const CONTAINER_CHILD_TYPES: Readonly<Partial<Record<ResourceKind, number>>> = { sprocs: 8, triggers: 7, udfs: 6 };
const ENCRYPTION_KEY_TYPE = 2;
const MAX_USER = 0x7fffffff;

function text(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('/', '-');
}

function bytesOf(rid: string): Buffer {
  return Buffer.from(rid.replaceAll('-', '/'), 'base64');
}

function littleEndian(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(value >>> 0, 0);
  if (size === 8) {
    bytes.writeUInt32LE(Math.floor(value / 0x100000000), 4);
  }
  return bytes;
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The resource id of what was the `number`th to enter the catalog; `ownerRid` is that of its database, user or container. */
export function catalogRid(kind: ResourceKind, ownerRid: string, number: number): string {
  const owner = bytesOf(ownerRid);
  switch (kind) {
    case 'users':
      return text(Buffer.concat([owner, bigEndian(number % MAX_USER)]));
    case 'permissions':
      return text(Buffer.concat([owner, littleEndian(number, 8)]));
    case 'clientencryptionkeys':
      return text(Buffer.concat([owner, Buffer.alloc(4), littleEndian(number, 4), littleEndian(ENCRYPTION_KEY_TYPE, 4)]));
    default: {
      const own = littleEndian(number, 8);
      own[7] = (CONTAINER_CHILD_TYPES[kind] as number) << 4;
      return text(Buffer.concat([owner, own]));
    }
  }
}

/** The resource id of an offer: 3 bytes while they suffice, then 6. */
export function offerRid(number: number): string {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(number, 0, 6);
  return text(number < 0x1000000 ? bytes.subarray(3) : bytes);
}
