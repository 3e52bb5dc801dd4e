import type { ContainerDefinition } from '../../store/container-definition.ts';

/** A container definition as it is stored. */
export function definitionText(definition: ContainerDefinition): string {
  return JSON.stringify(definition);
}

/** Reads {@link definitionText}; JSON has no `undefined`, so an absent time to live is put back. */
export function readDefinition(text: string): ContainerDefinition {
  const parsed = JSON.parse(text) as ContainerDefinition;
  return { ...parsed, defaultTtl: parsed.defaultTtl };
}
