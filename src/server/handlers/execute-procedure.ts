import type { JsonValue } from '../../core/json.ts';
import { documentHeaders } from '../document-reply.ts';
import { findOwner } from '../catalog/find-owner.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { scriptTarget, sourceOf } from '../stored-scripts.ts';
import { isTrue } from '../wire-headers.ts';

/** The arguments in the body of a request: a list of them, or nothing. One that is no list stands for itself. */
function parametersOf(context: RequestContext): readonly JsonValue[] {
  const given = context.text === '' ? [] : (context.json() as JsonValue);
  return Array.isArray(given) ? (given as readonly JsonValue[]) : given === null ? [] : [given];
}

/** `POST .../sprocs/{id}`: runs a stored procedure on the partition key that the request names. */
export async function executeProcedure(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const { catalog, scripts } = context.server;
    const target = scriptTarget(context, container);
    const procedure = await catalog.read('sprocs', await findOwner(context, 'sprocs'), context.id);
    const isLogging = isTrue(context.headers, 'x-ms-documentdb-script-enable-logging');
    const engine = await scripts.engine();
    const result = await engine.execute(
      { id: procedure.id, source: sourceOf(procedure), parameters: parametersOf(context), isLogging },
      target,
    );
    const headers = documentHeaders(context, container, result);
    if (result.log !== '') {
      headers.push('x-ms-documentdb-script-log-results', encodeURIComponent(result.log));
    }
    return { status: 200, headers, body: result.bodyJson };
  });
}
