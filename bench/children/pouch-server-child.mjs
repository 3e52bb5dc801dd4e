/** The server of PouchDB in a process of its own, over leveldb, with as many documents of `sampleDocument`'s size as it is told: prints its address. */
import { once } from 'node:events';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const { folder } = JSON.parse(process.argv[2]);
const PouchDB = require('pouchdb-node').defaults({ prefix: `${folder}/` });
const app = require('express')();
app.use(
  require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB', configPath: `${folder}/config.json`, logPath: `${folder}/log.txt` }),
);
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
process.once('SIGTERM', () => process.exit());
