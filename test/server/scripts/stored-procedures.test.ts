import { describe, expect, test } from 'vitest';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { newStore, openEngine, procedures, targetOf } from './harness.ts';

const engine = openEngine();
const run = procedures(engine);
const store = await newStore();
const target = targetOf(store, 'p');

/** A script whose body sets the response to an expression. */
const giving = (expression: string): string => `function () { getContext().getResponse().setBody(${expression}); }`;

describe('the source of a script', () => {
  test.each<[string, string]>([
    ['a named function', 'function sample(a, b) { getContext().getResponse().setBody(a + b); }'],
    ['one without a name', 'function (a, b) { getContext().getResponse().setBody(a + b); }'],
    ['an arrow function', '(a, b) => getContext().getResponse().setBody(a + b)'],
    ['an async function', 'async function (a, b) { await null; getContext().getResponse().setBody(a + b); }'],
    ['a semicolon and a comment behind it', 'function (a, b) { getContext().getResponse().setBody(a + b); }; // end'],
    ['comments before it', '/** Adds. */\n// twice\nfunction (a, b) { getContext().getResponse().setBody(a + b); }'],
    ['functions within it', 'function f(a, b) { function add(x, y) { return x + y; } getContext().getResponse().setBody(add(a, b)); }'],
    ['functions behind it', 'function f(a, b) { getContext().getResponse().setBody(add(a, b)); }\nfunction add(x, y) { return x + y; }'],
    [
      'what was added to the language since',
      '(a, b) => __.response.setBody([a, b].at(-1) ?? null ?? [..."ab"].findLast(() => true) ? a + b : 0n)',
    ],
  ])('%s', async (_name, source) => {
    expect((await run(target, source, [1, 2])).body).toBe(3);
  });

  test.each(['', 'function () { this is none }', 'serverScript() { var x = 10; }', 'function () { getContext(', 'function () {}}'])(
    'what does not compile is told when it is run: %j',
    async (source) => {
      await expect(run(target, source)).rejects.toMatchObject({
        code: 'SCRIPT_INVALID',
        status: 400,
        subStatus: 0xffff,
        message: expect.stringMatching(
          /^Encountered exception while compiling Javascript\. Exception = SyntaxError: .+\r\nStack trace: SyntaxError: /u,
        ),
      });
    },
  );

  test('what is no function cannot be run', async () => {
    await expect(run(target, '42')).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
  });
});

describe('arguments and response', () => {
  test('arguments are JSON, however many there are', async () => {
    const given = [1, 'two', null, true, JSON.parse('{"__proto__":{"x":"ü\\u0000"},"a":[3]}'), [], 1e300, -0.1];
    const { body } = await run(target, 'function () { getContext().getResponse().setBody(Array.prototype.slice.call(arguments)); }', given);
    expect(body).toEqual(given);
    expect((await run(target, giving('arguments.length'))).body).toBe(0);
    expect((await run(target, giving('getContext().getRequest().getBody()'), [7, { a: 1 }])).body).toEqual([7, { a: 1 }]);
  });

  test.each<[string, unknown]>([
    ['"text"', 'text'],
    ['{ a: [1, { b: null }] }', { a: [1, { b: null }] }],
    ['[1, undefined]', [1, null]],
    ['0', 0],
    ['null', null],
    ['false', false],
    ['""', ''],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['undefined', undefined],
    ['JSON.stringify({ a: 1 })', '{"a":1}'],
  ])('setBody(%s)', async (expression, expected) => {
    expect((await run(target, giving(expression))).body).toEqual(expected);
  });

  test('a script that says nothing has an empty text for its response', async () => {
    expect((await run(target, 'function () {}')).bodyJson).toBe('""');
  });

  test('appendValue and appendBody join texts and sum numbers', async () => {
    expect(
      (await run(target, "function () { for (var i = 0; i < 10; i++) getContext().getResponse().appendValue('Body', i); }")).body,
    ).toBe('0123456789');
    const sum = 'function () { var r = getContext().getResponse(); r.setBody(1); r.appendBody(2); r.appendBody(3); }';
    expect((await run(target, sum)).body).toBe(6);
    const fromNothing = 'function () { var r = getContext().getResponse(); r.setBody(null); r.appendBody({ a: 1 }); }';
    expect((await run(target, fromNothing)).body).toEqual({ a: 1 });
  });

  test('getBody gives what setBody took, the value itself', async () => {
    const counting = `function () {
      for (var i = 0; i < 1000; i++) {
        var item = getContext().getResponse().getBody();
        if (i > 0 && item !== i - 1) throw 'body mismatch';
        getContext().getResponse().setBody(i);
      }
    }`;
    expect((await run(target, counting)).body).toBe(999);
    const changed = 'function () { var r = __.response; r.setBody({ n: 1 }); r.getBody().n = 2; r.getValue("Body").more = true; }';
    expect((await run(target, changed)).body).toEqual({ n: 2, more: true });
  });

  test('only the body of the response can be set', async () => {
    const source = `function () {
      var numbers = [
        function () { __.request.setBody(1); },
        function () { __.request.setValue('Body', 1); },
        function () { __.request.appendBody(1); },
        function () { __.response.setValue('x-other', 1); },
        function () { __.response.appendValue('x-other', 1); },
        function () { __.response.getValue('x-other'); },
      ].map(function (attempt) { try { attempt(); } catch (error) { return error.number; } });
      __.response.setBody([numbers, __.response.getValue(undefined) === undefined]);
    }`;
    expect((await run(target, source)).body).toEqual([[403, 403, 403, 400, 400, 400], true]);
  });

  test('headers of the request can be read', async () => {
    const source = `function () {
      var request = getContext().getRequest();
      __.response.setBody([request.getValue('x-app'), request['getx-app'](), request === __.request, getContext().getResponse() === __.response]);
    }`;
    expect((await run({ ...target, headers: { 'x-app': 'mine' } }, source)).body).toEqual(['mine', 'mine', true, true]);
  });

  test('a response that is too large is refused while the script can still do something', async () => {
    const source = `function () {
      var r = __.response;
      r.setBody('x'.repeat(4194304));
      try { r.appendBody('y'); } catch (error) { r.setBody([error.number, error.message.indexOf('Body') > 0]); }
    }`;
    expect((await run(target, source)).body).toEqual([413, true]);
    await expect(run(target, 'function () { __.response.setBody(new Array(300000).fill("0123456789abcd")); }')).rejects.toMatchObject({
      subStatus: 413,
    });
  });
});

describe('errors', () => {
  test('what nobody catches is the answer, in the words and with the frames of the script', async () => {
    const source = 'function outer() {\n  inner();\n}\nfunction inner() {\n  throw new Error("Time is too old");\n}';
    await expect(run(target, source)).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      status: 400,
      subStatus: 0,
      message: expect.stringMatching(
        /^Encountered exception while executing Javascript\. Exception = Error: Time is too old\r\nStack trace: Error: Time is too old\n {3}at inner \(script\.js:5:\d+\)\n {3}at outer \(script\.js:2:\d+\)\n {3}at __docDbMain \(script\.js:\d+:\d+\)$/u,
      ),
    });
  });

  test.each<[string, string, number]>([
    ['throw new Error(1234, "with a number")', 'Error: with a number', 1234],
    ['throw Error(409, "called as a function")', 'Error: called as a function', 409],
    ['throw new Error(ErrorCodes.NotFound, "named")', 'Error: named', 404],
    ['var e = new TypeError("of a kind"); e.number = 77; throw e', 'TypeError: of a kind', 77],
    ['throw "a text"', 'a text', 0],
    ['throw { code: 5 }', '{"code":5}', 0],
    ['throw undefined', 'undefined', 0],
    ['throw null', 'null', 0],
    ['null.x', "TypeError: cannot read property 'x' of null", 0],
    ['class Own extends Error { constructor() { super("of a class"); this.name = "Own"; } } throw new Own()', 'Own: of a class', 0],
    ['throw new Error(-1, "no sub-status")', 'Error: no sub-status', 0],
    ['throw new Error(1.5, "no sub-status")', 'Error: no sub-status', 0],
    ['throw new Error(404)', 'Error: 404', 0],
    ['throw { get message() { throw 1; } }', 'unknown', 0],
  ])('%s', async (statement, told, subStatus) => {
    const failure = run(target, `function () { ${statement}; }`);
    await expect(failure).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus });
    await expect(failure).rejects.toThrow(`Exception = ${told}\r\n`);
  });

  test('errors keep what they are: classes, names, causes', async () => {
    const source = `function () {
      class Own extends Error {}
      var plain = new Error('m', { cause: 7 });
      __.response.setBody([
        new Own('x') instanceof Own, new Own('x') instanceof Error, new TypeError('x') instanceof Error, Error.name, plain.cause, plain.message,
        plain.number === undefined, new Error(5, 'x').number, Object.keys(new Error(5, 'x')), String(new RangeError('r')), plain.constructor === Error,
        ErrorCodes, Object.isFrozen(ErrorCodes),
      ]);
    }`;
    const codes = {
      BadRequest: 400,
      Forbidden: 403,
      NotFound: 404,
      Conflict: 409,
      PreconditionFailed: 412,
      RequestEntityTooLarge: 413,
      RetryWith: 449,
      InternalServerError: 500,
    };
    expect((await run(target, source)).body).toEqual([true, true, true, 'Error', 7, 'm', true, 5, [], 'RangeError: r', true, codes, true]);
  });

  test('a message of any length does not make an answer of any length', async () => {
    const failure: unknown = await run(target, 'function () { throw new Error("x".repeat(1e6)); }').catch((error: unknown) => error);
    expect((failure as Error).message.length).toBeLessThan(40_000);
  });
});

describe('console.log', () => {
  test('is kept where it is asked for', async () => {
    const source = `function () {
      console.log('The value of %s is %s.', 'x', 1);
      console.log('100%');
      console.log(' %s%% %s', 'a');
      console.log({});
      __.response.setBody('done');
    }`;
    expect(await run(target, source, [], true)).toMatchObject({
      body: 'done',
      log: 'The value of x is 1.100% a% undefined[object Object]',
    });
    expect(await run(target, source)).toMatchObject({ body: 'done', log: '' });
  });

  test('refuses what it cannot make a text of, and what no header could carry', async () => {
    const attempt = (call: string): Promise<unknown> =>
      run(target, `function () { try { ${call} } catch (e) { __.response.setBody(e.number); } }`, [], true).then(({ body }) => body);
    expect(await attempt('console.log()')).toBe(400);
    expect(await attempt('console.log({}, 1)')).toBe(400);
    expect(await attempt('for (;;) console.log("0123456789")')).toBe(413);
    expect(await attempt('console.log("ü".repeat(3000))')).toBe(413);
  });
});

describe('clock and chance', () => {
  test('a script sees the clock of the store, in UTC, and it runs on', async () => {
    const wallClock = new SimulatedRuntime({ seed: 1, startMs: Date.UTC(2031, 4, 5, 6, 7, 8) });
    const source = `function () {
      var start = Date.now();
      while (Date.now() < start + 5) {}
      var d = new Date();
      __.response.setBody([d.toISOString().slice(0, 19), d.getHours(), d.getTimezoneOffset(), new Date(2020, 0, 1).toISOString(), d.getTime() >= start + 5]);
    }`;
    expect((await run({ ...target, wallClock }, source)).body).toEqual(['2031-05-05T06:07:08', 6, 0, '2020-01-01T00:00:00.000Z', true]);
  });

  test('the same seed gives the same numbers by chance, another one others', async () => {
    const numbers = async (seed: number): Promise<unknown> =>
      (await run({ ...target, wallClock: new SimulatedRuntime({ seed }) }, giving('[Math.random(), Math.random(), Math.random()]'))).body;
    const first = (await numbers(1)) as number[];
    expect(await numbers(1)).toEqual(first);
    expect(await numbers(2)).not.toEqual(first);
    expect(new Set(first).size).toBe(3);
    expect(first.every((one) => one >= 0 && one < 1)).toBe(true);
  });
});

describe('promises', () => {
  test('a script may wait with promises for its calls', async () => {
    const own = await newStore();
    const source = `async function (count) {
      const create = (n) => new Promise((resolve, reject) => {
        const isAccepted = __.createDocument(__.getSelfLink(), { id: 'd' + n, pk: 'p', n }, (error, document) => error ? reject(error) : resolve(document));
        if (!isAccepted) reject(new Error('not accepted'));
      });
      let sum = 0;
      for (let n = 0; n < count; n++) sum += (await create(n)).n;
      __.response.setBody(sum);
    }`;
    expect((await run(targetOf(own, 'p'), source, [10])).body).toBe(45);
    expect(await own.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([10]);
  });

  test('a rejection that nobody catches undoes nothing, as in the service; abort does', async () => {
    const own = await newStore();
    const source = (last: string): string => `async function (id) {
      await new Promise((resolve) => __.createDocument(__.getSelfLink(), { id, pk: 'p' }, resolve));
      ${last};
    }`;
    await run(targetOf(own, 'p'), source('throw new Error("lost")'), ['a']);
    await expect(run(targetOf(own, 'p'), source('getContext().abort(new Error(42, "on purpose"))'), ['b'])).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      subStatus: 42,
      message: expect.stringContaining('Exception = Error: on purpose'),
    });
    expect(await own.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a']);
  });
});
