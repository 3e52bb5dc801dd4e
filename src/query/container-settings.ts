import { equalValues } from '../core/json-order.ts';
import { DEFAULT_INDEXING_POLICY, type ContainerDefinition } from '../store/container-definition.ts';
import type { PreparedComputedProperty } from './evaluator/query-environment.ts';
import { parseIndexPolicy, type IndexPolicy } from './index-policy/index-policy.ts';
import { prepareQuery } from './prepare-query.ts';
import { searchPolicyOf, type SearchPolicy } from './search/search-policy.ts';

/** What queries over a container depend on beside their text and its documents. Everything is made when it is first asked for, and once. */
export class ContainerSettings {
  readonly #definition: ContainerDefinition;
  #policy: IndexPolicy | undefined;
  #computedProperties: readonly PreparedComputedProperty[] | undefined;
  #hasDefaultPolicy: boolean | undefined;

  constructor(definition: ContainerDefinition) {
    this.#definition = definition;
  }

  /** @throws INVALID_CONTAINER for a policy that an earlier version took without looking */
  get policy(): IndexPolicy {
    this.#policy ??= parseIndexPolicy(this.#definition.indexingPolicy);
    return this.#policy;
  }

  /** Whether the policy indexes a path; wildcards do not reach computed properties. */
  isIndexed(path: readonly string[]): boolean {
    const isComputed = this.#definition.computedProperties.some(({ name }) => name === path[0]);
    return isComputed ? this.policy.isIndexed(path) === 'explicit' : this.policy.isIndexed(path) !== 'excluded';
  }

  /** Whether the index policy is that of a container which names none. */
  get hasDefaultPolicy(): boolean {
    this.#hasDefaultPolicy ??= equalValues(this.#definition.indexingPolicy, DEFAULT_INDEXING_POLICY);
    return this.#hasDefaultPolicy;
  }

  /** What the container says of its texts and vectors. */
  get searchPolicy(): SearchPolicy {
    return searchPolicyOf(this.#definition);
  }

  get computedProperties(): readonly PreparedComputedProperty[] {
    this.#computedProperties ??= this.#definition.computedProperties.map(({ name, query }) => ({ name, query: prepareQuery(query) }));
    return this.#computedProperties;
  }
}

const settings = new WeakMap<ContainerDefinition, ContainerSettings>();

/** The settings of a container; the same object for the same definition. */
export function containerSettings(definition: ContainerDefinition): ContainerSettings {
  const known = settings.get(definition) ?? new ContainerSettings(definition);
  settings.set(definition, known);
  return known;
}
