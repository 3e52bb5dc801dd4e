import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');
const MAIN = 'cli/main';
/** What runs in a thread of its own, and so shares nothing with what starts it. */
const THREADS = ['stores/sqlite/worker-thread', 'server/scripts/thread/script-thread'];

/** A page that synchronises has a bundler of its own, which takes files of `dist` nearly whole: sync must lead to no store and to no query language. */
const SYNC = 'sync/index';
/** What it loads when it is first wanted, below `sync`. */
const LATE = [
  'writes/await-remote',
  'pull/caught-up',
  'dead-letters/dead-letter-work',
  'push/forced-push',
  'form/local-only',
  'form/migrate-stored',
  'form/open-special-form',
  'pull/reconcile',
  'special-options',
  'remote/type-filter',
  'verify/verifier',
];
/** What sync shares with everything else. */
const COMMON = 'common';

/**
 * Code that is wanted together goes into one file, as every file costs time when a program starts: these modules and all that they import. What belongs
 * to several parts is in the first of them, so a part imports from earlier ones only; `common` and `base` are code for every host.
 */
const PARTS = {
  [COMMON]: [`${SYNC}.ts`, ...LATE.map((name) => `sync/${name}.ts`)],
  sync: [`${SYNC}.ts`],
  base: [
    'stores/memory/index.ts',
    'stores/sqlite/driver.ts',
    'stores/sqlite/writer-queue.ts',
    'server/connection-string.ts',
    'store/hash-space.ts',
    'core/error-codes.ts',
    'core/hybrid-logical-clock.ts',
    'core/seeded-random.ts',
    'core/shiftable-runtime.ts',
  ],
  server: ['server/open-server.ts'],
  command: ['cli/serve/serve-store.ts', 'cli/serve/read-serve-flags.ts', 'cli/report-failure.ts'],
  language: [
    'query/functions/function-table.ts',
    'query/prepare-query.ts',
    'query/advice/query-advice.ts',
    'query/explain/index-metrics.ts',
    'query/explain/create-explanation.ts',
    'query/explain/plan-tree.ts',
    'query/explain/run-to-end.ts',
  ],
  engine: ['stores/common/resident-engine.ts'],
  filters: ['query/access/query-conditions.ts', 'query/compile/sqlite/compile-filter.ts'],
  handlers: ['server/handlers/all-handlers.ts'],
  stores: [
    'stores/common/store-results.ts',
    'stores/common/folded-rows.ts',
    'stores/common/recorded-change.ts',
    'stores/common/query-scope.ts',
    'stores/common/version-names.ts',
    'stores/common/unique-values.ts',
    'stores/common/stored-container.ts',
    'stores/common/read-outcome.ts',
    'stores/common/epk-cache.ts',
    'stores/common/local-capabilities.ts',
    'stores/common/refusal-or.ts',
    'stores/common/applied-write.ts',
    'stores/common/change-kinds.ts',
    'stores/common/change-record.ts',
    'stores/common/definition-text.ts',
    'stores/common/direct-page.ts',
    'stores/common/direct-shape.ts',
    'stores/common/wanted-indexes.ts',
    'stores/common/auto-index.ts',
    'stores/common/index-usage.ts',
    'stores/common/used-indexes.ts',
    'stores/common/write-outcome.ts',
    'query/access/choose-access.ts',
    'query/explain/advise-order-by.ts',
    'query/explain/advise-index.ts',
    'query/access/propose-indexes.ts',
    'query/search/text-condition.ts',
    'query/spatial/spatial-condition.ts',
    'query/compile/common/plan-cache.ts',
    'query/compile/common/sql-plan.ts',
    'query/compile/common/compares-within-type.ts',
    'query/explain/index-reading.ts',
    'query/compile/common/compile-aggregates.ts',
    'query/compile/common/order-keys.ts',
    'query/compile/common/read-properties.ts',
  ],
  sqlite: ['stores/sqlite/sqlite-backend.ts'],
  postgres: ['stores/postgres/postgres-backend.ts'],
};

const OUTPUT = {
  format: 'esm',
  minify: { compress: true, mangle: { toplevel: false, keepNames: true }, codegen: { removeWhitespace: true } },
};

/** Modules of which the entries of the package are made, by their paths below `src` without the ending. */
function entriesOfPackage() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.values(exports)
    .filter((target) => typeof target !== 'string')
    .map((target) => target.default.replace(/^\.\/dist\/(.*)\.js$/u, '$1'));
}

function inputOf(names) {
  return Object.fromEntries(names.map((name) => [name, join(SRC, `${name}.ts`)]));
}

function withSlashes(path) {
  return path.replaceAll('\\', '/');
}

/**
 * A source names a file by its place beside itself: `new URL('./thread.js', import.meta.url)`. Its code may end in a file elsewhere; until it is known
 * where, the place below `src` stands for that beside the source.
 */
function keepPlaces(folder) {
  const mark = 'place-below-src:';
  return {
    name: 'keep-places',
    transform: (code, id) =>
      code.replaceAll(
        /(?<=new URL\(')\.[^']*(?=', import\.meta\.url\))/gu,
        (place) => mark + withSlashes(relative(SRC, resolve(dirname(id), place))),
      ),
    renderChunk: (code, { fileName }) =>
      code.replaceAll(new RegExp(`${mark}([^"'\`]*)`, 'gu'), (_, place) => {
        const way = withSlashes(relative(dirname(join(folder, fileName)), join(folder, place)));
        return way.startsWith('.') ? way : `./${way}`;
      }),
  };
}

/** All that `from` leads to. */
function closureOf(from, next) {
  const found = new Set(from);
  for (const one of found) {
    next(one).forEach((other) => found.add(other));
  }
  return found;
}

/** Gives the part of each module that has one. */
function partsOf(importsOf) {
  const parts = new Map();
  for (const [part, roots] of Object.entries(PARTS)) {
    const paths = roots.map((root) => join(SRC, root));
    for (const id of closureOf(paths, (one) => importsOf.get(one) ?? [])) {
      const isOfSync = id.startsWith(join(SRC, dirname(SYNC), '/'));
      if (importsOf.has(id) && !parts.has(id) && !(part === COMMON && isOfSync)) {
        parts.set(id, part);
      }
    }
  }
  return parts;
}

/** An entry must not ask for packages or parts of Node that its sources do not ask for: some are for browsers, and some packages are optional. */
function checkEntries(output, importsOf) {
  const chunks = new Map(output.map((one) => [one.fileName, one]));
  for (const { isEntry, name, fileName, facadeModuleId } of output) {
    if (isEntry && name !== MAIN) {
      const wanted = closureOf([facadeModuleId], (id) => importsOf.get(id) ?? []);
      const got = closureOf([fileName], (name) => chunks.get(name)?.imports ?? []);
      const extra = Array.from(got).filter((name) => !chunks.has(name) && !wanted.has(name));
      if (extra.length > 0) {
        throw new Error(`dist/${fileName} imports ${extra.join(', ')}, which its sources do not: see PARTS in scripts/bundle.mjs.`);
      }
    }
  }
}

/**
 * Bundles the sources into `folder`, which becomes the `dist` of a package: a file for each entry, and chunks for what they share, so that a class is one
 * and the same whichever entry it was imported from. Other packages stay where they are. Gives the files, but for those of threads: the names of what
 * each imports, and the modules that are in it.
 */
export async function bundle(folder) {
  const options = {
    cwd: ROOT,
    platform: 'node',
    external: /^(?:node:|@?[a-z])/u,
    treeshake: { moduleSideEffects: false },
    plugins: [keepPlaces(folder)],
  };
  for (const thread of THREADS) {
    const build = await rolldown({ ...options, input: inputOf([thread]) });
    await build.write({ ...OUTPUT, dir: folder, codeSplitting: false });
  }
  const importsOf = new Map();
  const build = await rolldown({
    ...options,
    input: inputOf([...entriesOfPackage(), MAIN]),
    plugins: [...options.plugins, { name: 'note-imports', moduleParsed: ({ id, importedIds }) => void importsOf.set(id, importedIds) }],
  });
  let parts;
  const { output } = await build.write({
    ...OUTPUT,
    dir: folder,
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      groups: Object.keys(PARTS).map((name, index, all) => ({
        name,
        test: (id) => {
          parts ??= partsOf(importsOf);
          return parts.get(id) === name;
        },
        priority: all.length - index,
      })),
    },
  });
  checkEntries(output, importsOf);
  chmodSync(join(folder, `${MAIN}.js`), 0o755);
  return output.map(({ fileName, imports, moduleIds }) => ({
    fileName,
    imports,
    modules: moduleIds.map((id) => withSlashes(relative(SRC, id))),
  }));
}
