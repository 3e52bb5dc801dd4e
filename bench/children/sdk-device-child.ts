/** The official client alone in a process of its own: sends documents in transactional batches of 100, with nothing kept of them, and prints what it took. */
import { CosmosClient } from '@azure/cosmos';
import { sampleDocument } from '../harness.ts';

const BATCH = 100;

const { endpoint, key, owner, count } = JSON.parse(process.argv[2] as string) as {
  readonly endpoint: string;
  readonly key: string;
  readonly owner: string;
  readonly count: number;
};
const documents = Array.from({ length: count }, (_, index) => sampleDocument(index, owner));
const client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } });
const container = client.database('bench').container('docs');
let requests = 0;
let requestUnits = 0;
const startMs = performance.now();
for (let start = 0; start < documents.length; start += BATCH) {
  const operations = documents.slice(start, start + BATCH).map((resourceBody) => ({ operationType: 'Create' as const, resourceBody }));
  const answer = await container.items.batch(operations, owner);
  if (answer.code !== 200 || answer.result === undefined) {
    throw new Error(`A batch was answered ${answer.code}.`);
  }
  requests += 1;
  requestUnits += answer.result.reduce((sum, { requestCharge }) => sum + requestCharge, 0);
}
const elapsedMs = performance.now() - startMs;
client.dispose();
console.log(JSON.stringify({ requests, requestUnits, elapsedMs }));
