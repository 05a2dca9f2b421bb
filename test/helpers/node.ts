/** A node in the test's own process, of which everything is real but the sockets, and what their clients see. */
import type { WssessError } from '../../src/common/errors.ts';
import { newId } from '../../src/common/ids.ts';
import { BackPressure } from '../../src/server/connection/back-pressure.ts';
import { Connection } from '../../src/server/connection/connection.ts';
import type { Services } from '../../src/server/connection/handlers.ts';
import { Turns } from '../../src/server/connection/turns.ts';
import { answering } from '../../src/server/membership/answering.ts';
import { Lease } from '../../src/server/membership/lease.ts';
import { Members } from '../../src/server/membership/members.ts';
import type { Transport } from '../../src/server/transport/transport.ts';
import type { Floor } from '../contracts/stores.ts';
import { nodeInfo, openFloor } from './floor.ts';

const LIMITS = { maxHeaders: 100, maxHeaderBytes: 8192, maxBody: 1 << 20 };

/** What the client of a connection saw. */
export interface Client {
  connection: Connection;
  closed: { code: number; reason: string } | undefined;
  received: string;
}

/** Its name is `n1`; its lease is renewed when the test says so, and by its own timer. */
export async function startNode(f: Floor, { ttl = 60_000 }: { ttl?: number } = {}) {
  const own = await openFloor(f.redis);
  f.later(() => own.store.close());
  const incarnation = newId();
  const faults: unknown[] = [];
  const log = { info() {}, warn() {} };
  /** What it was told when another took its name. */
  const replaced: WssessError[] = [];
  const lease: Lease = new Lease(own.nodes, () => nodeInfo({ incarnation }), log, {
    renewed: () => void members.lookAhead(),
    regained: (heldBefore) => members.restore(heldBefore),
    replaced: (why) => replaced.push(why),
  });
  const members = new Members({
    sessions: own,
    lease,
    incarnation,
    node: () => 'n1',
    ttl,
    maxUserSessions: 0,
    acceptUnregistered: false,
    fault: (error) => faults.push(error),
  });
  const handlers = answering({
    connections: members.connections,
    destinationsOf: () => [],
    forgetGhost: (id) => members.forgetGhost(id),
    rewrite: (id) => members.rewrite(id),
    drain: async () => ({ draining: false, stopping: false, sessions: 0 }),
    log,
  });
  await lease.take();
  f.later(await own.control.listen(incarnation, handlers, (error) => faults.push(error)));
  f.later(() => lease.release());

  const connect = async (user: string): Promise<Client> => {
    const client: Client = { connection: undefined as never, closed: undefined, received: '' };
    const transport: Transport = {
      ip: '127.0.0.1',
      port: 1,
      userAgent: null,
      buffered: 0,
      taken: 0,
      send(frames) {
        client.received += Buffer.isBuffer(frames) ? frames.toString() : '';
      },
      flush() {},
      onDrained: (drained) => drained(),
      close(code, reason) {
        client.closed = { code, reason };
      },
      destroy() {},
      pause() {},
      resume() {},
    };
    client.connection = new Connection(newId(), transport, {
      limits: LIMITS,
      maxBuffer: 1 << 20,
      backPressure: new BackPressure(1 << 20),
      turns: new Turns(),
      connectTimeout: 10_000,
      services: {} as Services,
      forget: (connection) => members.forget(connection),
      fault: (error) => faults.push(error),
    });
    members.add(client.connection);
    client.connection.connecting();
    client.connection.user = user;
    await members.register(client.connection);
    client.connection.opened();
    return client;
  };
  return { incarnation, members, lease, handlers, connect, faults, replaced, sessions: own };
}
