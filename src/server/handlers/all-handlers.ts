import type { ResourceKind } from '../catalog/resource-kind.ts';
import type { Handler } from '../handler.ts';
import { createContainer } from './create-container.ts';
import { createDatabase } from './create-database.ts';
import { createDocument } from './create-document.ts';
import { createResource } from './create-resource.ts';
import { deleteContainer } from './delete-container.ts';
import { deleteDatabase } from './delete-database.ts';
import { deleteDocument } from './delete-document.ts';
import { deletePartition } from './delete-partition.ts';
import { deleteResource } from './delete-resource.ts';
import { executeBatch } from './execute-batch.ts';
import { executeBulk } from './execute-bulk.ts';
import { executeProcedure } from './execute-procedure.ts';
import { findConflict } from './find-conflict.ts';
import { listConflicts } from './list-conflicts.ts';
import { listContainers } from './list-containers.ts';
import { listDatabases } from './list-databases.ts';
import { listDocuments } from './list-documents.ts';
import { listOffers } from './list-offers.ts';
import { listPartitionRanges } from './list-partition-ranges.ts';
import { listResources } from './list-resources.ts';
import { patchDocument } from './patch-document.ts';
import { planQuery } from './plan-query.ts';
import { queryDocuments } from './query-documents.ts';
import { readChanges } from './read-changes.ts';
import { readContainer } from './read-container.ts';
import { readDatabase } from './read-database.ts';
import { readDocument } from './read-document.ts';
import { readOffer } from './read-offer.ts';
import { readResource } from './read-resource.ts';
import { replaceContainer } from './replace-container.ts';
import { replaceDocument } from './replace-document.ts';
import { replaceOffer } from './replace-offer.ts';
import { replaceResource } from './replace-resource.ts';

/** Handlers of resources that the catalog keeps, by their kind. */
type CatalogName = 'createResource' | 'deleteResource' | 'listResources' | 'readResource' | 'replaceResource';
type Name =
  | 'createContainer'
  | 'createDatabase'
  | 'createDocument'
  | 'deleteContainer'
  | 'deleteDatabase'
  | 'deleteDocument'
  | 'deletePartition'
  | 'executeBatch'
  | 'executeBulk'
  | 'executeProcedure'
  | 'findConflict'
  | 'listConflicts'
  | 'listContainers'
  | 'listDatabases'
  | 'listDocuments'
  | 'listOffers'
  | 'listPartitionRanges'
  | 'patchDocument'
  | 'planQuery'
  | 'queryDocuments'
  | 'readChanges'
  | 'readContainer'
  | 'readDatabase'
  | 'readDocument'
  | 'readOffer'
  | 'replaceContainer'
  | 'replaceDocument'
  | 'replaceOffer';

/** Every handler but that of the account, which a server answers before these are loaded. */
export type AllHandlers = { readonly [name in Name]: Handler } & { readonly [name in CatalogName]: (kind: ResourceKind) => Handler };

export const ALL_HANDLERS: AllHandlers = {
  createContainer,
  createDatabase,
  createDocument,
  createResource,
  deleteContainer,
  deleteDatabase,
  deleteDocument,
  deletePartition,
  deleteResource,
  executeBatch,
  executeBulk,
  executeProcedure,
  findConflict,
  listConflicts,
  listContainers,
  listDatabases,
  listDocuments,
  listOffers,
  listPartitionRanges,
  listResources,
  patchDocument,
  planQuery,
  queryDocuments,
  readChanges,
  readContainer,
  readDatabase,
  readDocument,
  readOffer,
  readResource,
  replaceContainer,
  replaceDocument,
  replaceOffer,
  replaceResource,
};
