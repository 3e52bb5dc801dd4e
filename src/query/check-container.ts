import type { ContainerDefinition } from '../store/container-definition.ts';
import { checkComputedProperties } from './computed-property-rules.ts';
import { checkSearchPolicies, checkSearchReplacement } from './search/check-search-policies.ts';
import { containerSettings } from './container-settings.ts';

/**
 * Checks what of a container's definition concerns queries: index policy, computed properties, vectors and full text.
 *
 * @param current the definition that it replaces
 * @throws INVALID_CONTAINER, BAD_REQUEST for a change of what is fixed
 */
export function checkContainer(definition: ContainerDefinition, current?: ContainerDefinition): void {
  // Reading the policy checks it.
  void containerSettings(definition).policy;
  checkComputedProperties(definition.computedProperties);
  checkSearchPolicies(definition);
  if (current !== undefined) {
    checkSearchReplacement(current, definition);
  }
}
