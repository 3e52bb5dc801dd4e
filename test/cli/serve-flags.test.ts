import { Command, CommanderError } from 'commander';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addServeCommand } from '../../src/cli/serve-command.ts';
import { readServeFlags } from '../../src/cli/serve/read-serve-flags.ts';
import { SERVE_FLAGS } from '../../src/cli/serve/serve-flags.ts';
import type { ServeOptions } from '../../src/cli/serve/server-options-of.ts';

/** The options as commander reads them; `undefined` where it ends with help, the version or a complaint. */
async function readByCommander(args: readonly string[]): Promise<ServeOptions | undefined> {
  let read: ServeOptions | undefined;
  const program = new Command('perigee')
    .version('1.0.0')
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  addServeCommand(program, async (options) => {
    read = options;
  });
  try {
    await program.parseAsync(['serve', ...args], { from: 'user' });
  } catch (error) {
    expect(error).toBeInstanceOf(CommanderError);
  }
  return read;
}

const names = SERVE_FLAGS.map(({ flags }) => flags.split(' ', 1)[0] as string);
const strange = ['', '-', '--', '-h', '--help', '--version', '-V', 'help', '--por', '--no-json', '--json=', '=', '--=x', '-5'];
const value = fc.oneof(fc.constantFrom(...strange, 'memory', '8081', 'a=b'), fc.string());
const argument = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...names), value) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => [`${name}=${text}`]) },
  { weight: 3, arbitrary: fc.constantFrom(...names).map((name) => [name]) },
  { weight: 1, arbitrary: value.map((text) => [text]) },
);

test('a server that starts without commander reads its options as commander does', async () => {
  let readHere = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 6 }), async (parts) => {
      const args = parts.flat();
      const options = readServeFlags(args);
      if (options !== undefined) {
        readHere += 1;
        expect(options).toEqual(await readByCommander(args));
      }
    }),
    { numRuns: 2000 },
  );
  expect(readHere).toBeGreaterThan(50);
});

test('each option is read without commander, alone and repeated', async () => {
  for (const { flags } of SERVE_FLAGS) {
    const [name = '', takesValue] = flags.split(' ');
    const args = takesValue === undefined ? [name] : [name, 'one', `${name}=two=three`];
    const options = readServeFlags(args);
    expect(options, flags).toBeDefined();
    expect(options).toEqual(await readByCommander(args));
  }
});

test.each([['--help'], ['--prot', '1'], ['--port'], ['--port', '--json'], ['memory'], ['--json=yes'], ['--version']])(
  'what commander has something to say about is left to it: %s %s',
  (...args) => {
    expect(readServeFlags(args)).toBeUndefined();
  },
);
