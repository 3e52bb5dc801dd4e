/** A bare `node:http` server that answers recorded bytes: the limit of what any server can do for this client. */
import { createServer } from 'node:http';
import { once } from 'node:events';

interface Recording {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const [recording] = (await once(process, 'message')) as [{ document: Recording; account: string; page: Recording }];
const documentBytes = Buffer.from(recording.document.body);
const pageBytes = Buffer.from(recording.page.body);
const account = Buffer.from(recording.account);
const server = createServer((request, response) => {
  if (request.url === '/') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': account.length });
    response.end(account);
    return;
  }
  request.resume();
  const { headers } = request.method === 'POST' ? recording.page : recording.document;
  const bytes = request.method === 'POST' ? pageBytes : documentBytes;
  response.writeHead(200, { ...headers, 'content-length': bytes.length });
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as { port: number };
  console.log(JSON.stringify({ url: `http://127.0.0.1:${address.port}/` }));
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  process.disconnect();
});
