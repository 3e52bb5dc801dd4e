import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { StoreTransaction } from '../../store/document-store.ts';
import type { ResultInfo } from '../../store/operations.ts';
import { parseJson } from '../parse-json.ts';
import type { RequestRun } from './request-run.ts';
import type { ScriptProperty } from './script-protocol.ts';
import { headerProperties, property, quotaOf, type ScriptTarget } from './script-target.ts';
import type { TriggerDefinition, TriggeredOperation } from './trigger-rules.ts';

/** A write with the triggers that its request names. */
export interface TriggeredWrite {
  readonly operation: TriggeredOperation;
  /** The body of the request; `undefined` where it has none. */
  readonly body: JsonValue | undefined;
  /** In the order in which they run, each over what the one before made of the body. */
  readonly before: readonly TriggerDefinition[];
  readonly behind: readonly TriggerDefinition[];
}

/** What a write has given, before its triggers have looked at it. */
export interface PerformedWrite extends ResultInfo {
  /** The document as it is stored; `undefined` where it was deleted. */
  readonly document: JsonObject | undefined;
}

/** Makes the write itself, of the body that the triggers before it have left. */
export type PerformWrite<R extends PerformedWrite> = (transaction: StoreTransaction, body: JsonValue | undefined) => Promise<R>;

/** Runs a write and its triggers within the transaction of a request; gives its result, and the body of the response as JSON. */
export async function runTriggered<R extends PerformedWrite>(
  run: RequestRun,
  target: ScriptTarget,
  write: TriggeredWrite,
  perform: PerformWrite<R>,
): Promise<{ readonly written: R; readonly bodyJson: string | undefined }> {
  const { operation } = write;
  const request = (bodyJson: string | undefined, isWritable: boolean): readonly ScriptProperty[] => [
    { name: 'Body', json: bodyJson, isWritable },
    property('OperationType', operation),
    ...headerProperties(target),
  ];
  // A request without a body has an empty text for one.
  let requestJson: string | undefined = JSON.stringify(write.body ?? '');
  for (const { id, source } of write.before) {
    const result = await run.step({ kind: 'pre-trigger', id, source, parameters: [], request: request(requestJson, true) });
    ({ requestJson } = result);
  }
  const written = await perform(await run.begin(), write.body === undefined ? undefined : bodyOf(requestJson));
  run.operations.count(written, true);
  let responseJson: string | undefined = JSON.stringify(written.document ?? '');
  for (const { id, source } of write.behind) {
    const { current, max } = quotaOf(target);
    const result = await run.step({
      kind: 'post-trigger',
      id,
      source,
      parameters: [],
      request: request(requestJson, false),
      response: [
        { name: 'Body', json: responseJson, isWritable: true },
        property('ResourceQuotaCurrentUsage', current),
        property('MaxResourceQuota', max),
      ],
    });
    ({ responseJson } = result);
  }
  return { written, bodyJson: written.document === undefined ? undefined : responseJson };
}

/** The body that pre-triggers have left; a text in it is JSON. @throws BAD_REQUEST */
function bodyOf(json: string | undefined): JsonValue {
  if (json === undefined) {
    throw new PerigeeError('BAD_REQUEST', 'A pre-trigger has left the request without a body.');
  }
  const body = parseJson(json, 'The body that a pre-trigger has left');
  return (typeof body === 'string' ? parseJson(body, 'The body that a pre-trigger has left') : body) as JsonValue;
}
