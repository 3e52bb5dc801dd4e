import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';
import {
  EncryptionAlgorithm,
  EncryptionQueryBuilder,
  EncryptionType,
  KeyEncryptionAlgorithm,
  type CosmosClient,
  type EncryptionKeyResolver,
  type EncryptionKeyWrapMetadata,
} from '@azure/cosmos';
import { expect } from 'vitest';
import type { Account } from './support/account.ts';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

/** A vault in memory: it wraps keys with RSA-OAEP, as a real one does. */
class Vault implements EncryptionKeyResolver {
  readonly encryptionKeyResolverName = 'VAULT';
  readonly #keys = new Map<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>();

  wrapKey(id: string, _algorithm: string, key: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(publicEncrypt({ key: this.#key(id).publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, key));
  }

  unwrapKey(id: string, _algorithm: string, wrapped: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(privateDecrypt({ key: this.#key(id).privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, wrapped));
  }

  #key(id: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
    const key = this.#keys.get(id) ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#keys.set(id, key);
    return key;
  }
}

const vault = new Vault();
const metadata = (value: string): EncryptionKeyWrapMetadata => ({
  type: 'VAULT' as never,
  name: value,
  value,
  algorithm: KeyEncryptionAlgorithm.RSA_OAEP,
});

const encrypting = (account: Account): CosmosClient => account.connect({ clientEncryptionOptions: { keyEncryptionKeyResolver: vault } });

const path = (name: string, encryptionType: EncryptionType) => ({
  path: name,
  clientEncryptionKeyId: 'key',
  encryptionType,
  encryptionAlgorithm: EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA256,
});

const POLICY = {
  policyFormatVersion: 1,
  includedPaths: [path('/ssn', EncryptionType.DETERMINISTIC), path('/secret', EncryptionType.RANDOMIZED)],
};

sdkSuite((feature) => {
  feature('encryption.keys', 'keys are made, read, listed and wrapped anew; the server sees them wrapped', async ({ account }) => {
    const database = await account.database(encrypting(account));
    const created = await database.createClientEncryptionKey('key', EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA256, metadata('one'));
    expect(created.statusCode).toBe(201);
    const read = await database.readClientEncryptionKey('key');
    expect(read.clientEncryptionKeyProperties).toMatchObject({ id: 'key', encryptionAlgorithm: 'AEAD_AES_256_CBC_HMAC_SHA256' });
    const wrapped = read.clientEncryptionKeyProperties?.wrappedDataEncryptionKey;
    const again = await database.rewrapClientEncryptionKey('key', metadata('two'));
    expect(again.clientEncryptionKeyProperties?.encryptionKeyWrapMetadata).toMatchObject({ value: 'two' });
    expect(again.clientEncryptionKeyProperties?.wrappedDataEncryptionKey).not.toEqual(wrapped);
    const keys = `/${database.url}/clientencryptionkeys`;
    expect((await account.send('GET', keys)).body).toMatchObject({
      ClientEncryptionKeys: [{ id: 'key', keyWrapMetadata: { value: 'two' } }],
      _count: 1,
    });
    const query = { query: 'SELECT VALUE k.id FROM k WHERE k.id = @id', parameters: [{ name: '@id', value: 'key' }] };
    const found = await account.send('POST', keys, { headers: { 'content-type': 'application/query+json' }, body: query });
    expect(found.body).toMatchObject({ ClientEncryptionKeys: ['key'] });
    const twice = database.createClientEncryptionKey('key', EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA256, metadata('one'));
    expect(await codeOf(twice)).toBe(409);
  });

  feature('encryption.documents', 'encrypted paths go in and come out, and only ciphertext is stored', async ({ account }) => {
    const database = await account.database(encrypting(account));
    await database.createClientEncryptionKey('key', EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA256, metadata('one'));
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/pk', clientEncryptionPolicy: POLICY });
    await container.initializeEncryption();
    const document = { id: '1', pk: 'a', ssn: '123-45', secret: { deep: [1, 'top-secret', true] }, plain: 'open' };
    await container.items.create(document);
    expect((await container.item('1', 'a').read()).resource).toMatchObject(document);
    const stored = (await account.as(account.client, container).item('1', 'a').read()).resource as Record<string, unknown>;
    expect(stored['plain']).toBe('open');
    // With a hyphen each, which base64 lacks: a ciphertext spells any short word now and then.
    expect(JSON.stringify(stored)).not.toMatch(/123-45|top-secret/u);
    const builder = new EncryptionQueryBuilder('SELECT * FROM c WHERE c.ssn = @ssn');
    builder.addParameter('@ssn', '123-45', '/ssn');
    const found = await (await container.items.getEncryptionQueryIterator(builder)).fetchAll();
    expect(found.resources).toMatchObject([document]);
    const feed = await container.items.changeFeed('a', { startFromBeginning: true }).fetchNext();
    expect(feed.result).toHaveLength(1);
    const batch = await container.items.batch([{ operationType: 'Upsert', resourceBody: { ...document, ssn: '999' } as never }], 'a');
    expect(batch.result?.[0]?.statusCode).toBe(200);
    expect((await container.item('1', 'a').read()).resource).toMatchObject({ ssn: '999' });
  });

  feature(
    ['encryption.policies', 'errors.sub-statuses'],
    'a policy is kept, and a client learns that a container was made again',
    async ({ account }) => {
      const database = await account.database(encrypting(account));
      await database.createClientEncryptionKey('key', EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA256, metadata('one'));
      const definition = { id: 'items', partitionKey: { paths: ['/pk'] }, clientEncryptionPolicy: POLICY };
      const { container, resource } = await database.containers.create(definition);
      expect(resource?.clientEncryptionPolicy).toEqual(POLICY);
      const twice = { ...POLICY, includedPaths: [POLICY.includedPaths[0], POLICY.includedPaths[0]] };
      const refused = await account.send('POST', `/${database.url}/colls`, {
        body: { ...definition, id: 'twice', clientEncryptionPolicy: twice },
      });
      expect(refused.status).toBe(400);
      await container.initializeEncryption();
      const other = account.as(account.client, container);
      await other.delete();
      await other.database.containers.create(definition);
      const headers = { 'x-ms-documentdb-partitionkey': '["a"]', 'x-ms-cosmos-intended-collection-rid': resource?._rid as string };
      const answer = await account.send('GET', `/${container.url}/docs/1`, { headers });
      expect([answer.status, answer.headers.get('x-ms-substatus')]).toEqual([400, '1024']);
      const create = (): Promise<{ statusCode: number }> => container.items.create({ id: '1', pk: 'a', ssn: '1' });
      await expect(create()).rejects.toThrow(/mismatch in Client Encryption Policy/u);
      expect((await create()).statusCode).toBe(201);
    },
  );
});
