import type { ReadCallOptions, ScriptCollection } from './create-collection.ts';
import type { NumberedError, OperationQueue, SandboxKit, ScriptCallback } from './sandbox-types.ts';

/** A step of a chain: what it makes of the items before it. */
interface ChainStep {
  readonly sorts: boolean;
  readonly run: (items: unknown[]) => unknown[];
}

/** What a query function gives back: whether the query was taken, and in a chain the functions to go on with. */
interface ChainLink {
  isAccepted: boolean;
  [name: string]: unknown;
}

/**
 * Adds the functions that query by functions to the container: `filter`, `map`, `pluck`, `flatten`, `unwind`, `sortBy`,
 * `sortByDescending`, and `chain` with `value`.
 *
 * They read the documents of the partition key and run the script's functions over them. A page has as many items as asked for, unless time
 * is nearly up; a chain that sorts reads all documents first.
 */
export function addQueryApi(
  { parse, stringify, refuse }: SandboxKit,
  queue: OperationQueue,
  collection: ScriptCollection,
  readCallOptions: ReadCallOptions,
  appendBody: ((value: unknown) => void) | undefined,
): void {
  /** Rank of a value's type in the order of the query language. */
  const rank = (value: unknown): number => {
    const scalars = ['undefined', 'null', 'boolean', 'number', 'string'];
    const scalar = scalars.indexOf(value === null ? 'null' : typeof value);
    return scalar !== -1 ? scalar : Array.isArray(value) ? 5 : 6;
  };
  const compare = (left: unknown, right: unknown): number => {
    const order = rank(left) - rank(right);
    return order !== 0 ? order : (left as string) < (right as string) ? -1 : (left as string) > (right as string) ? 1 : 0;
  };
  const sortStep = (key: ScriptCallback, direction: 1 | -1): ChainStep => ({
    sorts: true,
    run: (items) =>
      items
        .map((item) => ({ item, key: key(item) }))
        .sort((left, right) => direction * compare(left.key, right.key))
        .map(({ item }) => item),
  });
  const fn = (value: unknown): ScriptCallback => {
    if (typeof value !== 'function') {
      throw refuse(400, 'A function over documents has to be given.');
    }
    return value as ScriptCallback;
  };

  /** How each query function reads the arguments that are its own: the step, and the arguments left. */
  const readers: Record<string, (values: unknown[]) => { step: ChainStep; rest: unknown[] }> = {
    filter: ([predicate, ...rest]) => {
      const test = fn(predicate);
      return { step: { sorts: false, run: (items) => items.filter((item) => test(item)) }, rest };
    },
    map: ([transform, ...rest]) => {
      const change = fn(transform);
      return { step: { sorts: false, run: (items) => items.map((item) => change(item)) }, rest };
    },
    pluck: ([name, ...rest]) => {
      if (typeof name !== 'string' || name === '') {
        throw refuse(400, 'The name of a property has to be a text and not empty.');
      }
      return { step: { sorts: false, run: (items) => items.map((item) => (item as Record<string, unknown>)[name]) }, rest };
    },
    flatten: (values) => {
      const isShallow = values[0] === true;
      const step = { sorts: false, run: (items: unknown[]) => items.flat(isShallow ? 1 : Number.POSITIVE_INFINITY) };
      return { step, rest: typeof values[0] === 'boolean' ? values.slice(1) : values };
    },
    unwind: ([inner, ...values]) => {
      const select = fn(inner);
      const hasResult = typeof values[0] === 'function' && values[0].length >= 2;
      const join = hasResult ? (values[0] as ScriptCallback) : (_item: unknown, one: unknown) => one;
      const run = (items: unknown[]): unknown[] => items.flatMap((item) => (select(item) as unknown[]).map((one) => join(item, one)));
      return { step: { sorts: false, run }, rest: hasResult ? values.slice(1) : values };
    },
    sortBy: ([key, ...rest]) => ({ step: sortStep(fn(key), 1), rest }),
    sortByDescending: ([key, ...rest]) => ({ step: sortStep(fn(key), -1), rest }),
  };

  const toBody: ScriptCallback = (error, items) => {
    if (error !== undefined) {
      throw error as Error;
    }
    if (appendBody === undefined) {
      throw refuse(400, 'A pre-trigger has no response that the result could go to: give a callback.');
    }
    appendBody(stringify(items));
  };

  /** Reads pages of documents until `take` has enough; `take` gets the documents and the continuation behind them. */
  const readPages = (
    pageSize: number,
    continuation: string | undefined,
    take: (documents: unknown[], next: string | undefined) => number,
    fail: (error: NumberedError) => void,
    stop: (next: string) => void,
  ): boolean =>
    queue.add({ type: 'feed', pageSize, continuation }, (error, result) => {
      if (error !== undefined || result === undefined) {
        fail(error as NumberedError);
        return;
      }
      const next = result.options['continuation'] as string | undefined;
      const wanted = take(result.body as unknown[], next);
      if (wanted > 0 && next !== undefined && !readPages(wanted, next, take, fail, stop)) {
        stop(next);
      }
    });

  const run = (steps: readonly ChainStep[], given: unknown, callback: unknown): { isAccepted: boolean } => {
    const { options, callback: call = toBody } = readCallOptions(given, callback);
    const pageSize = Number(options['pageSize']) || 100;
    const start = options['continuation'] === undefined || options['continuation'] === '' ? undefined : String(options['continuation']);
    const apply = (items: unknown[]): unknown[] => steps.reduce((before, step) => step.run(before), items);
    const fail = (error: unknown): void => void call(error);
    /** What the functions of a script throw goes to its callback; what the callback throws ends the script. */
    const attempt = (items: unknown[], then: (done: unknown[]) => number): number => {
      let done: unknown[];
      try {
        done = apply(items);
      } catch (error) {
        fail(error);
        return 0;
      }
      return then(done);
    };
    if (steps.some(({ sorts }) => sorts)) {
      const offset = start === undefined ? 0 : Number((parse(start) as { offset: unknown }).offset);
      const all: unknown[] = [];
      const take = (documents: unknown[], next: string | undefined): number => {
        for (const document of documents) {
          all[all.length] = document;
        }
        return next !== undefined
          ? 1000
          : attempt(all, (done) => {
              const end = offset + pageSize;
              call(undefined, done.slice(offset, end), { continuation: end < done.length ? stringify({ offset: end }) : undefined });
              return 0;
            });
      };
      return {
        isAccepted: readPages(1000, undefined, take, fail, () => fail(refuse(408, 'There was no time left to read all documents.'))),
      };
    }
    const found: unknown[] = [];
    const finish = (continuation: string | undefined): void => void call(undefined, found, { continuation });
    const take = (documents: unknown[], next: string | undefined): number =>
      attempt(documents, (done) => {
        for (const item of done) {
          found[found.length] = item;
        }
        const wanted = next === undefined ? 0 : pageSize - found.length;
        if (wanted <= 0) {
          finish(next);
        }
        return wanted;
      });
    return { isAccepted: readPages(pageSize, start, take, fail, finish) };
  };

  /** Query functions may be given the container first, as the older form has it. */
  const withoutContainer = (values: unknown[]): unknown[] =>
    values.length > 0 && (values[0] === undefined || values[0] === collection || Object.getPrototypeOf(Object(values[0])) === collection)
      ? values.slice(1)
      : values;

  const link = (steps: readonly ChainStep[]): ChainLink => {
    const next: ChainLink = { isAccepted: true, value: (options: unknown, callback: unknown) => run(steps, options, callback) };
    for (const [name, read] of Object.entries(readers)) {
      next[name] = (...values: unknown[]) => {
        const { step, rest } = read(withoutContainer(values));
        if (rest.some((value) => value !== undefined)) {
          throw refuse(400, 'In a chain, options and callback go to the function "value".');
        }
        return link([...steps, step]);
      };
    }
    return next;
  };

  for (const [name, read] of Object.entries(readers)) {
    collection[name] = (...values: unknown[]) => {
      const { step, rest } = read(withoutContainer(values));
      return run([step], rest[0], rest[1]);
    };
  }
  collection['chain'] = () => link([]);
}
