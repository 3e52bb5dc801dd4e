import { SERVE_FLAGS } from './serve-flags.ts';
import type { ServeOptions } from './server-options-of.ts';

type Value = string | boolean | readonly string[];

/** `--max-requests <number>` is the option `maxRequests`. */
function optionName(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());
}

/**
 * The options of `perigee serve` as the library of the command line would read them, for a server is to start sooner than that library is loaded.
 * `undefined` for arguments that it has something to say about: help, a mistyped option, a value that is missing.
 */
export function readServeFlags(args: readonly string[]): ServeOptions | undefined {
  const known = new Map(SERVE_FLAGS.map((one) => [one.flags.split(' ', 1)[0] as string, one]));
  const options: Record<string, Value> = {};
  for (const [flag, { default: preset, isRepeatable }] of known) {
    const initial = isRepeatable ? [] : preset;
    if (initial !== undefined) {
      options[optionName(flag)] = initial;
    }
  }
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string;
    const equals = arg.indexOf('=');
    const flag = equals === -1 ? arg : arg.slice(0, equals);
    const found = known.get(flag);
    const takesValue = found?.flags.includes(' ') === true;
    if (found === undefined || (equals !== -1 && !takesValue)) {
      return undefined;
    }
    const name = optionName(flag);
    if (!takesValue) {
      options[name] = true;
      continue;
    }
    at += equals === -1 ? 1 : 0;
    const value = equals === -1 ? args[at] : arg.slice(equals + 1);
    // That library looks for options of all commands, such as --version, where a value should be.
    if (value === undefined || (equals === -1 && value.startsWith('-'))) {
      return undefined;
    }
    options[name] = found.isRepeatable ? [...(options[name] as readonly string[]), value] : value;
  }
  return options as unknown as ServeOptions;
}
