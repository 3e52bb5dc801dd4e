import type { JsonObject } from '../../core/json.ts';
import { strayIn, titleIn, titleOf, versionIn } from '../dimensions/document-shapes.ts';
import type { World } from '../world.ts';

/** A document has what its writer gave it, in whatever version it is: what an older program wrote has what the migration makes of it, what a newer one wrote is whole. */
export function checkShape(world: World, where: string, key: string, document: JsonObject): void {
  if (!world.has('versions')) {
    return;
  }
  const text = document['text'] as string;
  const written = world.titles.get(text);
  const stray = strayIn(document);
  if (stray !== undefined) {
    world.violate(`${where} has ${key} = ${text} in version ${versionIn(document)} with a ${stray}`);
  }
  const expected = versionIn(document) === 1 ? null : (written ?? titleOf(text));
  if (written !== undefined && !world.merges && titleIn(document) !== expected) {
    world.violate(`${where} has ${key} = ${text} with the title ${JSON.stringify(titleIn(document))}, not ${JSON.stringify(expected)}`);
  }
}
