/**
 * What programs rely on when they talk to the server through the official SDK: areas, and the features of each. Every test of this folder shows some
 * of them; a feature that no test shows fails the run, as does a test of a feature that is not here. The table of the documentation is made of it.
 */
export const AREAS = {
  account: {
    title: 'Account',
    features: {
      'account.read': 'Account with its locations, consistency and query limits',
      'account.endpoint': 'A client stays on the address that it was given, under any name of it',
      'account.isolation': 'Several accounts in one process, each on a free port',
      'account.restart': 'Everything is there again after a restart: resources, documents, etags, sessions, places in feeds',
      'account.health': 'Health and readiness without a credential',
    },
  },
  credentials: {
    title: 'Keys and identities',
    features: {
      'credentials.master-key': 'Master key, also in a connection string',
      'credentials.read-only-key': 'Read-only key: reads and queries, 403 for writes',
      'credentials.refused': '401 without a signature, with a wrong key, with a date that is more than 15 minutes off',
      'credentials.directory': 'Bearer tokens of a directory (`aadCredentials`) where an option accepts them',
    },
  },
  databases: {
    title: 'Databases',
    features: {
      'databases.lifecycle': 'Create, create if missing, read, delete',
      'databases.feeds': 'List and query, in pages',
      'databases.names':
        'Names in any script, case-sensitive; 400 for illegal characters and a space at the end, 409 for a name that is taken',
    },
  },
  containers: {
    title: 'Containers',
    features: {
      'containers.lifecycle': 'Create, create if missing, read, replace, delete',
      'containers.feeds': 'List and query, in pages',
      'containers.defaults':
        'Every default of the service: index policy with `/_etag/?` excluded, partition key kind and version, conflict policy, links',
      'containers.validation': 'What the service refuses is refused: paths of keys, changes of id, key and vector indexes, times to live',
      'containers.unique-keys': 'Unique keys within a partition key',
      'containers.computed-properties': 'Computed properties, in filters, ORDER BY and GROUP BY',
      'containers.policies': 'Index, vector, full-text, geospatial and change-feed policies are kept and given back',
      'containers.quota': 'Quota and index progress, where asked for',
      'containers.resource-ids': 'Access by `_self` and `_rid`, which have the real shape',
      'containers.no-partition-key': 'Containers of old, made without a partition key: documents, queries, batch, bulk',
      'containers.delete-by-key': 'All documents of a partition key deleted at once',
    },
  },
  documents: {
    title: 'Documents',
    features: {
      'documents.lifecycle': 'Create, read, replace, upsert, delete, with the system properties',
      'documents.patch': 'Patch: add, set, replace, remove, incr, move; up to 10 operations, with a condition',
      'documents.etags': '`IfMatch` (412) and `IfNoneMatch` (304) on every call that takes them',
      'documents.ids': 'Every id that the service takes, up to 1,023 bytes; ids made by the SDK',
      'documents.partition-keys': 'Keys of every type, `null` and missing kept apart; key taken from the document',
      'documents.hierarchical-keys': 'Keys of up to three levels, prefixes in queries and feeds',
      'documents.json': 'What is written is what is read: numbers, Unicode, order of members, deep nesting',
      'documents.headers': 'Charge, etag, session, activity id, LSN, quota, usage and schema version in every answer',
      'documents.minimal-answers':
        'Writes without a document in the answer (`Prefer: return=minimal`, `contentResponseOnWriteEnabled: false`)',
      'documents.options': 'Priority, throughput bucket, consistency, indexing directive and cache options are taken',
    },
  },
  gateways: {
    title: 'Both gateways',
    features: {
      'gateways.routing': 'On the first port, ids that the service’s routing gateway refuses are refused (401, 400)',
      'gateways.compute': 'On the second port, or with one port only, every id is served',
    },
  },
  queries: {
    title: 'Queries',
    features: {
      'queries.language': 'Filters, parameters, projections, JOIN, subqueries, spatial and string functions',
      'queries.within-key': 'ORDER BY, TOP, OFFSET, DISTINCT, aggregates and GROUP BY within one partition key',
      'queries.across-keys': 'The same over several partition key ranges, merged by the SDK',
      'queries.pages': '`fetchNext`, `fetchAll`, `for await`, `maxItemCount`, `readAll`',
      'queries.continuations': 'Continuation tokens under 1 KB, good in another client and after a restart, refused where foreign',
      'queries.composite-continuations': 'The SDK’s own tokens for planned queries (`enableQueryControl`)',
      'queries.metrics': 'Query metrics, index metrics and query advice, where asked for',
      'queries.errors': '400 with the codes and places of the service for what cannot be parsed or bound',
      'queries.vector-search': 'Vector search with ORDER BY VectorDistance',
      'queries.text-search': 'Full-text search with FullTextContains and ORDER BY RANK, and hybrid search with RRF',
    },
  },
  plans: {
    title: 'Query plans',
    features: {
      'plans.refusal': '400/1004 with the plan in `additionalErrorInfo` for what the gateway leaves to clients',
      'plans.shape': 'Plans of version 2: order, aggregates, groups, distinct, offset, rewritten text, hybrid queries',
      'plans.ranges': 'Ranges of effective partition keys: points, several, prefixes, all',
      'plans.rewritten': 'Rewritten queries run on each range',
      'plans.direct': 'All queries answered directly, where an option asks for it',
    },
  },
  partitions: {
    title: 'Partition key ranges',
    features: {
      'partitions.ranges': 'One range up to 10,000 RU/s, more beyond or by option, without gaps; feed ranges',
      'partitions.hashing': 'The service’s hashing (versions 1 and 2, several levels): documents lie where the SDK looks for them',
      'partitions.split': 'Split and merge on command: 410 with 1002, 1007 and 1008, parents named',
      'partitions.split-continuations': 'Children go on with the continuations and feed positions of their parents',
    },
  },
  'change-feed': {
    title: 'Change feed',
    features: {
      'change-feed.latest': 'Latest version of each document, in the order of commits, with `_lsn`',
      'change-feed.starts': 'From the beginning, now, a time, a continuation, in another client and after a restart',
      'change-feed.scopes': 'Of a container, a partition key, a prefix of it, a feed range',
      'change-feed.pages': '`maxItemCount`, 304 with an etag where there is nothing new, `for await`',
      'change-feed.all-versions': 'All versions and deletes, with operation types and previous versions',
      'change-feed.retention': 'Refused without a policy, from the beginning, and beyond the retention',
      'change-feed.expiry': 'Expired documents come as deletes where the mode shows deletes',
    },
  },
  batches: {
    title: 'Batch',
    features: {
      'batches.atomic': 'Up to 100 operations on one partition key, all or nothing, each with its status',
      'batches.failures': '424 for the others where one fails; a foreign key and too many operations are refused',
      'batches.etags': 'Conditions on etags within a batch',
    },
  },
  bulk: {
    title: 'Bulk',
    features: {
      'bulk.operations': 'Every kind of operation on any keys, outcomes in the order given (`bulk`, `executeBulkOperations`)',
      'bulk.ranges': 'Thousands of operations over several ranges',
      'bulk.errors': 'Each outcome has its own status; the first failure ends it where asked for; retries on 429 and 410',
    },
  },
  scripts: {
    title: 'Stored procedures, triggers, functions',
    features: {
      'scripts.resources': 'Create, read, replace, upsert, delete, list and query each kind of script',
      'scripts.procedures': 'Stored procedures with arguments, the whole `getContext()`, any partition key',
      'scripts.transactions': 'All or nothing: what is thrown undoes every write of a procedure',
      'scripts.continuation': 'Calls that are no longer taken let a script answer how far it got',
      'scripts.logs': 'Logs in a header, where asked for',
      'scripts.triggers': 'Pre- and post-triggers by operation; refused where they do not fit, in one transaction with the write',
      'scripts.functions': 'User-defined functions in queries',
      'scripts.errors': 'Errors of scripts in the words of the service, with their numbers as sub-status',
    },
  },
  users: {
    title: 'Users and permissions',
    features: {
      'users.lifecycle': 'Users: create, read, replace, upsert, delete, list, query',
      'permissions.lifecycle': 'Permissions: create, read, replace, upsert, delete, list, query; tokens with a lifetime',
    },
  },
  tokens: {
    title: 'Resource tokens',
    features: {
      'tokens.container': 'A container, in the modes All and Read, by `resourceTokens`, `permissionFeed` and `tokenProvider`',
      'tokens.partition-key': 'One partition key: create, read, query, feed and batch; 403 for all other keys and for ranges',
      'tokens.items': 'One document or one script',
      'tokens.expiry': '403 after the end of the lifetime; 401 for a token that was tampered with',
      'tokens.scope': 'Nothing beyond: no other container, no management, no account feeds',
    },
  },
  encryption: {
    title: 'Client encryption',
    features: {
      'encryption.keys': 'Client encryption keys: create, read, list, query, wrap anew',
      'encryption.documents': 'Encrypted paths end to end: the server sees only ciphertext; equality filters work',
      'encryption.policies': 'Encryption policies are kept; 400/1024 for a container that was made again',
    },
  },
  offers: {
    title: 'Offers and throughput',
    features: {
      'offers.manual': 'Manual throughput, 400 RU/s unless said otherwise; read and replaced',
      'offers.autoscale': 'Autoscale throughput',
      'offers.database': 'Throughput of a database that its containers share',
      'offers.feeds': 'List and query; gone with their container',
    },
  },
  conflicts: {
    title: 'Conflicts',
    features: {
      'conflicts.feed': 'The feed of conflicts: list and query; 404 for one of them, as there are none',
    },
  },
  sessions: {
    title: 'Sessions and consistency',
    features: {
      'sessions.tokens': 'Session tokens per range with the content path; the SDK sends back what it was given',
      'sessions.ahead': '404/1002 for a session that the server has not reached',
      'sessions.read-your-writes': 'Every read sees every acknowledged write, also of another client',
    },
  },
  ttl: {
    title: 'Time to live',
    features: {
      'ttl.container': 'Default of the container, own value of a document, `-1` for ever',
      'ttl.everywhere': 'Expired documents are missing at once: reads, queries, patches, batches, unique keys',
    },
  },
  throttling: {
    title: 'Throttling',
    features: {
      'throttling.enforced': '429/3200 with `x-ms-retry-after-ms` beyond the provisioned throughput, where an option asks for it',
      'throttling.retries': 'The SDK waits and gets through',
    },
  },
  'request-units': {
    title: 'Request units',
    features: {
      'request-units.charges': '1 for a read of 1 KB, more for writes, by size and indexed terms; the same work has the same charge',
      'request-units.queries': 'Queries by what they look at and return; `fetchAll` is the sum of its pages',
    },
  },
  errors: {
    title: 'Errors',
    features: {
      'errors.form': 'Every error is JSON with `code` and `message`, an activity id of its own, and `substatus`',
      'errors.statuses': '400, 401, 403, 404, 405, 409, 412, 413 where the service gives them',
      'errors.sub-statuses': 'Sub-statuses 1001, 1002, 1003, 1004, 1024',
    },
  },
  faults: {
    title: 'Faults on command',
    features: {
      'faults.statuses': 'Any status and sub-status by rule: what the SDK repeats and what it reports',
      'faults.lost-answers': 'A write that was applied and whose answer never came',
      'faults.delays': 'Delays, and requests that are given up',
    },
  },
  tls: {
    title: 'TLS',
    features: {
      'tls.certificate': 'HTTPS with a certificate that clients can trust; refused without that trust',
    },
  },
} as const;

type Areas = typeof AREAS;

/** The id of an area. */
export type AreaId = keyof Areas;

/** The id of a feature. */
export type FeatureId = { [Id in AreaId]: keyof Areas[Id]['features'] }[AreaId];

/** The sentence of each feature. */
export const FEATURES: ReadonlyMap<string, string> = new Map(
  Object.values(AREAS).flatMap(({ features }) => Object.entries(features) as [string, string][]),
);

export function isFeatureId(id: string): id is FeatureId {
  return FEATURES.has(id);
}
