import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { WriteResult } from '../store/operations.ts';
import type { OpenContainer } from './container-registry.ts';
import { documentHeaders, documentReply } from './document-reply.ts';
import type { Reply } from './reply.ts';
import type { PerformedWrite, PerformWrite } from './scripts/triggered-write.ts';
import type { TriggeredResult } from './scripts/script-engine.ts';
import { usableTrigger, type TriggerDefinition, type TriggeredOperation, type TriggerTime } from './scripts/trigger-rules.ts';
import type { RequestContext } from './server-context.ts';
import { findScript, scriptTarget, sourceOf } from './stored-scripts.ts';
import { header } from './wire-headers.ts';

const HEADERS: Readonly<Record<TriggerTime, string>> = {
  Pre: 'x-ms-documentdb-pre-trigger-include',
  Post: 'x-ms-documentdb-post-trigger-include',
};

const NONE: readonly string[] = [];

function namesOf(headers: IncomingHttpHeaders, time: TriggerTime): readonly string[] {
  const text = header(headers, HEADERS[time]);
  return text === undefined
    ? NONE
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
}

/** Whether a request names triggers. */
export function hasTriggers(headers: IncomingHttpHeaders): boolean {
  return namesOf(headers, 'Pre').length > 0 || namesOf(headers, 'Post').length > 0;
}

/** Raises BAD_REQUEST for triggers on a batch or a bulk request, which run none: a check that a trigger makes must not be left out in silence. */
export function refuseTriggers(headers: IncomingHttpHeaders): void {
  if (hasTriggers(headers)) {
    throw new PerigeeError(
      'BAD_REQUEST',
      'A batch or a bulk request runs no triggers. Send the operations one by one, or let a stored procedure do the work of the triggers.',
    );
  }
}

/** The triggers that a request names, in their order. @throws SCRIPT_INVALID */
async function triggersOf(
  context: RequestContext,
  container: OpenContainer,
  time: TriggerTime,
  operation: TriggeredOperation,
): Promise<readonly TriggerDefinition[]> {
  const triggers: TriggerDefinition[] = [];
  for (const id of namesOf(context.headers, time)) {
    const found = await findScript(context, container, 'triggers', id);
    const { triggerType, triggerOperation } = found?.members ?? {};
    const definition =
      found === undefined ? undefined : { id, source: sourceOf(found), type: triggerType as string, operation: triggerOperation as string };
    triggers.push(usableTrigger(id, definition, time, operation));
  }
  return triggers;
}

/** Makes a write with the triggers that its request names, all or nothing. @throws SCRIPT_INVALID, and as `ScriptEngine.write` */
async function writeTriggered<R extends PerformedWrite>(
  context: RequestContext,
  container: OpenContainer,
  operation: TriggeredOperation,
  body: JsonValue | undefined,
  perform: PerformWrite<R>,
): Promise<TriggeredResult<R>> {
  const target = scriptTarget(context, container);
  const before = await triggersOf(context, container, 'Pre', operation);
  const behind = await triggersOf(context, container, 'Post', operation);
  const engine = await context.server.scripts.engine();
  return engine.write({ operation, body, before, behind }, target, perform);
}

/** The answer to a write with triggers that leaves a document. @throws as `writeTriggered` */
export async function triggeredReply(
  context: RequestContext,
  container: OpenContainer,
  operation: TriggeredOperation,
  body: JsonValue,
  perform: PerformWrite<WriteResult>,
): Promise<Reply> {
  const { written, bodyJson, requestUnits, session } = await writeTriggered(context, container, operation, body, perform);
  const isNew = operation === 'Create' || (operation === 'Upsert' && written.created);
  const reply = documentReply(context, container, isNew ? 201 : 200, { ...written, requestUnits, session });
  return reply.body === undefined ? reply : { ...reply, body: bodyJson };
}

/** The answer to a delete with triggers. @throws as `writeTriggered` */
export async function triggeredDelete(
  context: RequestContext,
  container: OpenContainer,
  id: string,
  ifMatch: string | undefined,
): Promise<Reply> {
  const { written, requestUnits, session } = await writeTriggered(context, container, 'Delete', undefined, async (transaction) => ({
    document: undefined,
    ...(await transaction.delete(id, { ifMatch })),
  }));
  return { status: 204, headers: documentHeaders(context, container, { ...written, requestUnits, session }), body: undefined };
}
