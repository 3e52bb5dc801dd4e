/** Something that is different from the service, on purpose or because it is not there. */
export interface Gap {
  readonly what: string;
  readonly here: string;
  readonly reason: string;
}

/** What is different; the last part of the table of the documentation. */
export const GAPS: readonly Gap[] = [
  {
    what: 'direct mode of the .NET and Java SDKs (RNTBD over TCP)',
    here: 'gateway mode only',
    reason: 'the JavaScript and Python SDKs speak HTTP alone; set the gateway mode in the others',
  },
  { what: 'several regions, failover, writes in several regions', here: 'one region', reason: 'there is one machine' },
  {
    what: 'conflicts between regions',
    here: 'the feed of conflicts is there and empty',
    reason: 'conflicts come from writes in several regions',
  },
  {
    what: 'five consistency levels',
    here: 'all are taken; every read sees every acknowledged write',
    reason: 'there is one copy of the data; what is too strong breaks no program',
  },
  {
    what: 'latency, quotas of an account, billing',
    here: 'request units by a published model',
    reason: '[request-units.md](request-units.md) says what is counted',
  },
  {
    what: '429 for requests beyond the provisioned throughput',
    here: 'only where `enforceThroughput` asks for it',
    reason: 'tests should run as fast as the machine can',
  },
  {
    what: 'partition key ranges split by themselves as data grows',
    here: 'on command, or with the throughput',
    reason: 'a rehearsal wants to choose the moment',
  },
  {
    what: 'refuses some ids on reads through its routing gateway, though it created them',
    here: 'serves them, unless a second port for the compute gateway is asked for',
    reason: 'nobody relies on the failure; who wants to see it can',
  },
  {
    what: 'ORDER BY over several paths needs a composite index',
    here: "only where the container states an index policy, or with `orderBy: 'strict'`",
    reason: 'the documented examples sort so under the default policy',
  },
  {
    what: 'triggers of a batch or a bulk request are not documented; the .NET SDK refuses them',
    here: '400',
    reason: 'none would run, and a check that a trigger makes must not be left out in silence',
  },
  { what: 'deletes a partition key in the background', here: 'before it answers', reason: 'simpler to rely on' },
  {
    what: 'sizes in `x-ms-resource-usage`',
    here: 'the number of documents only',
    reason: 'no store counts bytes, and a wrong number is worse than none',
  },
  {
    what: 'shared access signatures (`type=sas`)',
    here: '401',
    reason: 'there is no control plane to issue them; resource tokens and bearer tokens do the same',
  },
  {
    what: 'roles and assignments of a directory (RBAC)',
    here: 'a function decides about each bearer token: contributor or reader',
    reason: 'there is no control plane',
  },
  {
    what: 'semantic reranking, dedicated gateway cache, analytical store, materialized views',
    here: 'none; options for the cache are taken and change nothing',
    reason: 'services of their own beside the database',
  },
  { what: 'data explorer', here: 'none yet', reason: '`perigee query` asks a store from the command line' },
  { what: 'APIs for MongoDB, Cassandra, Gremlin and Table', here: 'none', reason: 'other protocols' },
  { what: 'attachments', here: 'none; `_attachments` is there', reason: 'deprecated in the service, and not in the SDK' },
  {
    what: 'scripts are compiled to machine code',
    here: 'interpreted, in a sandbox of WebAssembly',
    reason: '[scripts.md](scripts.md) lists this and four smaller differences',
  },
];
