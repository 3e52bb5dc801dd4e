import { ChangeFeedPolicy, ChangeFeedRetentionTimeSpan } from '@azure/cosmos';
import { expect, test } from 'vitest';
import { serve } from './served.ts';

test('the change feed policy of a container is set, read, replaced and removed as the SDK spells it', async () => {
  const { client, backend } = await serve();
  const { database } = await client().databases.create({ id: 'db' });
  const changeFeedPolicy = new ChangeFeedPolicy(ChangeFeedRetentionTimeSpan.fromMinutes(5));
  const { container, resource } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/pk'] }, changeFeedPolicy });
  expect(resource?.changeFeedPolicy).toEqual({ retentionDuration: 5 });
  const definition = async () => (await backend.readContainer('db', 'items'))?.definition;
  expect(await definition()).toMatchObject({ changeFeedPolicy: { retentionDuration: 5 }, extra: {} });
  expect((await definition())?.extra).not.toHaveProperty('changeFeedPolicy');

  const read = (await container.read()).resource ?? expect.unreachable();
  await container.replace({ ...read, changeFeedPolicy: { retentionDuration: 60 } });
  expect((await container.read()).resource?.changeFeedPolicy).toEqual({ retentionDuration: 60 });
  for (const retentionDuration of [-1, 0.5]) {
    await expect(container.replace({ ...read, changeFeedPolicy: { retentionDuration } })).rejects.toMatchObject({ code: 400 });
  }
  const { changeFeedPolicy: _policy, ...without } = read;
  await container.replace(without);
  expect((await container.read()).resource).not.toHaveProperty('changeFeedPolicy');
  expect((await definition())?.changeFeedPolicy).toBeUndefined();
});
