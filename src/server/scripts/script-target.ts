import type { JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';
import type { ContainerLinks } from './resource-links.ts';
import type { FunctionSource, ScriptProperty } from './script-protocol.ts';

/** Figures of a container's size as the service writes them, for callbacks and post-triggers. */
const NO_QUOTA = {
  current: 'documentSize=0;documentsSize=0;documentsCount=0;collectionSize=0;',
  max: 'documentSize=2048;documentsSize=10485760;documentsCount=-1;collectionSize=10485760;',
};

/** The container on which scripts run, and for whom. */
export interface ScriptTarget {
  readonly store: DocumentStore;
  /** Everything a script reads and writes has this key. */
  readonly partitionKey: PartitionKeyInput;
  readonly links: ContainerLinks;
  /** Headers of the request that a script may read, by lower-case name. None that hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  /** Tells scripts the time of day. */
  readonly wallClock: Runtime;
  /** All user-defined functions of the container. Asked for before a transaction begins, since it may keep others from reading. */
  readonly functions: () => Promise<readonly FunctionSource[]>;
  readonly quota?: { readonly current: string; readonly max: string } | undefined;
  /** Session that a script has to see. */
  readonly session?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The quota of a target. */
export function quotaOf({ quota = NO_QUOTA }: ScriptTarget): { readonly current: string; readonly max: string } {
  return quota;
}

/** A property of the request or the response. */
export function property(name: string, value: JsonValue | undefined, isWritable = false): ScriptProperty {
  return { name, json: value === undefined ? undefined : JSON.stringify(value), isWritable };
}

/** The headers of a target as properties. */
export function headerProperties({ headers }: ScriptTarget): readonly ScriptProperty[] {
  return Object.entries(headers).map(([name, value]) => property(name, value));
}
