import { isPerigeeError } from '../../core/errors.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';

/** A container definition as it is stored. */
export function definitionText(definition: ContainerDefinition): string {
  return JSON.stringify(definition);
}

/** Reads {@link definitionText}; JSON has no `undefined`, so what is absent is put back. */
export function readDefinition(text: string): ContainerDefinition {
  const parsed = JSON.parse(text) as ContainerDefinition;
  const definition = { ...parsed, defaultTtl: parsed.defaultTtl, changeFeedPolicy: parsed.changeFeedPolicy };
  return parsed.changeFeedPolicy === undefined && parsed.extra['changeFeedPolicy'] !== undefined
    ? withPolicyOfExtra(definition)
    : definition;
}

/** Up to version 3 of the file the policy was among the members that are only kept, unchecked. */
function withPolicyOfExtra(definition: ContainerDefinition): ContainerDefinition {
  const { changeFeedPolicy, ...extra } = definition.extra;
  try {
    return defineContainer({ ...definition, changeFeedPolicy: changeFeedPolicy as never, extra });
  } catch (error) {
    if (isPerigeeError(error)) {
      return definition;
    }
    throw error;
  }
}
