import { join } from 'node:path';
import { toHex } from '../../core/runtime.ts';
import { defineContainer } from '../../store/container-definition.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import { readContainerFile } from './container-file.ts';
import type { FileContainer } from './file-container.ts';
import { containerOf, type OpenFolder } from './folder-database.ts';
import { DEFINITION_ENDING } from './folder-scan.ts';

/** The ordinal of a database that no user's database reaches: the catalog's container belongs to it. */
const CATALOG_DATABASE = 0xffffffff;
/** The container of the catalog: files in the private folder, made when the first system document is written. */
export function openCatalog(open: OpenFolder): FileContainer {
  const { privateFolder } = open;
  const base = 'catalog';
  const definition = defineContainer({ id: base, partitionKey: '/scope' });
  const store = readContainerFile(join(privateFolder, base + DEFINITION_ENDING), base)?.store ?? {
    incarnation: toHex(open.settings.runtime.randomBytes(8)),
  };
  const rid = containerRid(databaseRid(CATALOG_DATABASE), 1);
  return containerOf(open, { folder: privateFolder, stateFolder: join(privateFolder, 'state'), base, rid }, { definition, store }, '', {
    number: 1,
    ...open.stamp(),
  });
}
