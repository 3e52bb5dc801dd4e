import type { Container, CosmosClient } from '@azure/cosmos';
import type { ContainerInfo } from '../../store/backend.ts';
import type { CallOptions } from '../../store/operations.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import { CallScope, type CallScopeOptions } from './call-scope.ts';
import type { CallKind } from './cosmos-errors.ts';
import { localContainer } from './container-resource.ts';

/** What a call on a container is about. */
export interface ContainerCall {
  readonly kind: CallKind;
  /** Such as `read the document "a"`; the container is added. */
  readonly what: string;
  /** The one partition key that the call touches. */
  readonly partitionKey: PartitionKey | undefined;
  readonly mode: 'read' | 'all';
  readonly options: CallOptions;
  readonly continued?: boolean | undefined;
  readonly headers?: CallScopeOptions['headers'];
}

/** A container of the service: the SDK's reference to it, made once, and what is known of it. */
export class ContainerLink {
  readonly container: Container;
  readonly info: ContainerInfo;
  readonly #local: { readonly path: string; readonly body: string };

  constructor(client: CosmosClient, info: ContainerInfo) {
    this.info = info;
    this.container = client.database(info.databaseId).container(info.definition.id);
    this.#local = localContainer(info);
  }

  /** The scope of a call. */
  scope(call: ContainerCall): CallScope {
    const { databaseId, definition } = this.info;
    return new CallScope({
      kind: call.kind,
      attempt: `${call.what} of the container ${JSON.stringify(definition.id)}`,
      signal: call.options.signal,
      access: { databaseId, container: definition.id, partitionKey: call.partitionKey, mode: call.mode },
      continued: call.continued,
      headers: call.headers,
      container: this.#local,
    });
  }
}

/** A partition key as the SDK takes it; its types do not know that a missing component is `undefined`. */
export function sdkPartitionKey(key: PartitionKey): string[] {
  return [...key] as string[];
}

/** The session of a call as an option of the SDK. */
export function sessionOption(options: CallOptions): { sessionToken?: string } {
  return options.session === undefined ? {} : { sessionToken: options.session };
}

/** An etag as a header can carry it: an empty one matches nothing, but an empty header would be no condition at all. */
export function conditionText(etag: string): string {
  return etag === '' ? '""' : etag;
}

/** Request options of a write that is refused where an etag has changed; none without an etag. */
export function conditionOf(ifMatch: string | undefined): {
  readonly accessCondition?: { readonly type: 'IfMatch'; readonly condition: string };
} {
  return ifMatch === undefined ? {} : { accessCondition: { type: 'IfMatch', condition: conditionText(ifMatch) } };
}
