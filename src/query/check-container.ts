import type { ContainerDefinition } from '../store/container-definition.ts';
import { checkComputedProperties } from './computed-property-rules.ts';
import { containerSettings } from './container-settings.ts';

/** Checks what of a container's definition concerns queries: index policy and computed properties. @throws INVALID_CONTAINER */
export function checkContainer(definition: ContainerDefinition): void {
  // Reading the policy checks it.
  void containerSettings(definition).policy;
  checkComputedProperties(definition.computedProperties);
}
