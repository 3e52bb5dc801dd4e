import { chargeHeader, jsonReply, type Reply } from '../reply.ts';
import { READ_CHARGE } from '../feed-reply.ts';
import type { RequestContext } from '../server-context.ts';

const REGION = 'Local';

/** What clients that plan queries themselves want to know. */
const QUERY_ENGINE = JSON.stringify({
  maxSqlQueryInputLength: 262144,
  maxJoinsPerSqlQuery: 5,
  maxLogicalAndPerSqlQuery: 500,
  maxLogicalOrPerSqlQuery: 500,
  maxUdfRefPerSqlQuery: 10,
  maxInExpressionItemsCount: 16000,
  queryMaxInMemorySortDocumentCount: 500,
  maxQueryRequestTimeoutFraction: 0.9,
  sqlAllowNonFiniteNumbers: false,
  sqlAllowAggregateFunctions: true,
  sqlAllowSubQuery: true,
  sqlAllowScalarSubQuery: true,
  allowNewKeywords: true,
  sqlAllowLike: true,
  sqlAllowGroupByClause: true,
  maxSpatialQueryCells: 12,
  spatialMaxGeometryPointCount: 256,
  sqlDisableQueryILOptimization: false,
  sqlDisableFilterPlanOptimization: false,
});

/**
 * `GET /`: the account.
 *
 * Its id is `localhost`, at which the JavaScript client stays on the endpoint it was given; other clients follow the locations, which therefore
 * name the server as this client sees it.
 */
export async function readAccount(context: RequestContext): Promise<Reply> {
  const { server, headers } = context;
  const endpoint = headers.host === undefined ? server.url() : `${server.secure ? 'https' : 'http'}://${headers.host}`;
  const locations = [{ name: REGION, databaseAccountEndpoint: `${endpoint}/` }];
  const account = {
    _self: '',
    id: 'localhost',
    _rid: 'localhost',
    media: '//media/',
    addresses: '//addresses/',
    _dbs: '//dbs/',
    writableLocations: locations,
    readableLocations: locations,
    enableMultipleWriteLocations: false,
    userReplicationPolicy: { asyncReplication: false, minReplicaSetSize: 1, maxReplicasetSize: 4 },
    userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
    systemReplicationPolicy: { minReplicaSetSize: 1, maxReplicasetSize: 4 },
    readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
    queryEngineConfiguration: QUERY_ENGINE,
  };
  return jsonReply(200, account, ['x-ms-request-charge', chargeHeader(READ_CHARGE)]);
}
