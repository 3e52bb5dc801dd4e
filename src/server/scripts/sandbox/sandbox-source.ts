import { addQueryApi } from './create-query-api.ts';
import { bindFunction } from './bind-function.ts';
import { bootSandbox } from './boot-sandbox.ts';
import { createCollection } from './create-collection.ts';
import { createMessage } from './create-message.ts';
import { createQueue } from './create-queue.ts';
import { describeThrown } from './describe-thrown.ts';
import { installGlobals } from './install-globals.ts';

const parts = { installGlobals, createMessage, createQueue, createCollection, addQueryApi };

/**
 * Compilers that keep the names of functions call a helper of this name, which the sandbox does not have.
 */
const KEEP_NAMES = 'const __name = (target) => target;';

/** The name under which frames of the server's own code stand in a stack trace. */
export const SANDBOX_FILE = 'perigee:sandbox';

/** Gives {@link bootSandbox} with its parts bound, as an expression. */
export const SANDBOX_SOURCE: string = `(() => { "use strict"; ${KEEP_NAMES}
const parts = { ${Object.entries(parts)
  .map(([name, part]) => `${name}: ${part.toString()}`)
  .join(',\n')} };
const boot = ${bootSandbox.toString()};
return (host, settings) => boot(parts, host, settings); })()`;

/** Gives what makes the world of user-defined functions, as an expression: errors with numbers, chance from a seed, and nothing else. */
export const FUNCTIONS_SOURCE: string = `(() => { "use strict"; ${KEEP_NAMES}
const bind = ${bindFunction.toString()};
const install = ${installGlobals.toString()};
return (seed) => { install(JSON.parse(seed)); return bind(JSON.parse, JSON.stringify); }; })()`;

/** Gives what describes a thrown value, as an expression. */
export const DESCRIBE_SOURCE: string = `(() => { "use strict"; ${KEEP_NAMES}
const { stringify } = JSON;
const describe = ${describeThrown.toString()};
return (thrown) => describe(stringify, thrown); })()`;
