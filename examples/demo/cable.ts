import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

/** The network cable of one device: a TCP relay to the server that can be pulled out, which cuts every connection at once. */
export interface Cable {
  readonly url: string;
  plug(connected: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Opens a cable to the server at `target`. */
export async function openCable(target: string): Promise<Cable> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  const cut = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const unplug = async (): Promise<void> => {
    if (!server.listening) {
      return;
    }
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async plug(connected) {
      if (!connected) {
        await unplug();
        return;
      }
      server.listen(address.port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: unplug,
  };
}
