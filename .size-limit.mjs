/** Leaves out what is imported when it is first wanted. */
const AT_FIRST = {
  name: 'at-first',
  setup: (build) =>
    build.onResolve({ filter: /^\./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined)),
};

const SYNC = { path: 'dist/sync/index.js', import: '{ SyncEngine }', gzip: true };

export default [
  {
    ...SYNC,
    name: 'perigee/sync in a page, without SQLite: loaded at first',
    limit: '30 kB',
    modifyEsbuildConfig: (config) => ({ ...config, plugins: [AT_FIRST] }),
  },
  { ...SYNC, name: 'perigee/sync in a page, without SQLite: with every part that is loaded when it is first wanted', limit: '43 kB' },
];
