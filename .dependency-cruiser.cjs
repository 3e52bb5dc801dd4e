/**
 * Import direction of the layers (ARCHITECTURE.md): core <- store <- query <- stores <- {layers, tokens, insight} <- {sync, migrate, state} <- server <- cli.
 * A layer may import itself and those it names here. `testing` imports contracts only, but for its emulator, which starts the server over a backend.
 */
const allowed = {
  core: [],
  store: ['core'],
  query: ['core', 'store'],
  stores: ['core', 'store', 'query'],
  sync: ['core', 'store', 'query', 'stores'],
  server: ['core', 'store', 'query'],
  copy: ['core', 'store'],
  cli: ['core', 'store', 'query', 'stores', 'sync', 'server', 'copy'],
  testing: ['core', 'store'],
  simulator: ['core', 'store', 'query', 'stores', 'sync', 'server', 'testing'],
  'testing/emulator': ['core', 'store', 'testing', 'server', 'stores/memory', 'stores/sqlite'],
};

const layerRules = Object.entries(allowed).map(([layer, others]) => ({
  name: `layer-${layer}`,
  severity: 'error',
  comment: `src/${layer} imports only ${[layer, ...others].join(', ')}`,
  // A layer within another has rules of its own.
  from: {
    path: `^src/${layer}/`,
    pathNot: Object.keys(allowed).flatMap((inner) => (inner.startsWith(`${layer}/`) ? [`^src/${inner}/`] : [])),
  },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...others].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'one-backend-does-not-import-another',
      severity: 'error',
      from: { path: '^src/stores/([^/]+)/' },
      to: { path: '^src/stores/([^/]+)/', pathNot: ['^src/stores/$1/', '^src/stores/common/'] },
    },
    { name: 'no-cycle', severity: 'error', from: { path: '^src' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'no-index-inside',
      severity: 'error',
      from: { path: '^src/', pathNot: '(^|/)index\\.ts$' },
      to: { path: ['^src/index\\.ts$', '^src/.*/index\\.ts$'] },
    },
    { name: 'no-test-in-source', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|examples|scripts)/' } },
    { name: 'not-resolvable', severity: 'error', from: { path: '^src' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
