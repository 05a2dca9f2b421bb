/** stompjs 7: the connection is lost, and comes back. */
import type { StompConfig } from '@stomp/stompjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { make7 } from '../helpers/clients.ts';
import { type FaultProxy, startFaultProxy } from '../helpers/fault-proxy.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { sleep, until } from '../helpers/wait.ts';

const USER = { userId: 'kim', userRole: 'AGENT' };
const DELAY = 20;
const served = serveForFile(['--node', 'reconnect', '--heart-beat', '200ms,200ms']);
let proxy: FaultProxy;
beforeEach(async () => {
  proxy = await startFaultProxy(served.serve.port);
});
afterEach(() => proxy.close());

/** A client behind the proxy that subscribes each time it comes in; and what its callbacks were called with. */
async function connect(options: StompConfig = {}) {
  const seen: string[] = [];
  const sessions: string[] = [];
  const heard: string[] = [];
  const client = make7(proxy.ws, USER, {
    reconnectDelay: DELAY,
    beforeConnect: () => void seen.push('before connect'),
    onStompError: ({ headers }) => seen.push(`error ${headers.cause}`),
    onDisconnect: () => seen.push('disconnect'),
    onHeartbeatLost: () => seen.push('heart-beat lost'),
    onWebSocketClose: ({ code }) => seen.push(`close ${code}`),
    ...options,
  });
  client.onConnect = ({ headers }) => {
    seen.push('connect');
    sessions.push(headers.session!);
    client.subscribe('/topic/a', ({ body }) => heard.push(body));
  };
  client.activate();
  await until(() => seen.includes('connect'));
  const back = async () => {
    await until(() => seen.filter((one) => one === 'connect').length === 2);
    client.publish({ destination: '/topic/a', body: 'back' });
    await until(() => heard.length === 1);
    expect(new Set(sessions).size).toBe(2);
    await until(async () => (await served.sessions()).length === 1);
  };
  return { client, seen, sessions, back };
}
const BEGIN = ['before connect', 'connect'];

describe('comes back, as a new session, when', () => {
  it('the client drops its socket', async () => {
    const { client, seen, back } = await connect();
    client.forceDisconnect();
    await back();
    expect(seen).toEqual([...BEGIN, expect.stringMatching(/^close 100[05]$/), ...BEGIN]);
  });

  it('the connection is reset', async () => {
    const { seen, back } = await connect();
    proxy.reset();
    await back();
    expect(seen).toEqual([...BEGIN, 'close 1006', ...BEGIN]);
  });

  it('it is kicked', async () => {
    const { sessions, seen, back } = await connect();
    expect((await served.serve.rest(`/api/session/${sessions[0]}`, 'DELETE')).status).toBe(200);
    await back();
    expect(seen).toEqual([...BEGIN, 'error kicked', 'close 4001', ...BEGIN]);
  });

  it('the server is restarted', async () => {
    const { seen, back } = await connect({
      onWebSocketClose: ({ code }) => code !== 1006 && seen.push(`close ${code}`),
    });
    await served.restart();
    proxy.to(served.serve.port);
    await back();
    const tries = seen.slice(4).filter((one) => one !== 'before connect'); // until somebody listened again
    expect([...seen.slice(0, 4), ...tries]).toEqual([...BEGIN, 'error shutdown', 'close 1001', 'connect']);
  });

  it.each([
    ['closes its socket', false],
    ['discards its socket', true],
  ])('the server falls silent, and it %s', async (_, discardWebsocketOnCommFailure) => {
    const options = { heartbeatIncoming: 500, discardWebsocketOnCommFailure };
    const { seen, back } = await connect(options);
    proxy.hold('to client');
    await until(() => seen.includes('heart-beat lost'));
    proxy.heal();
    await back();
    expect(seen.slice(0, 3)).toEqual([...BEGIN, 'heart-beat lost']);
    expect(seen.find((one) => one.startsWith('close'))).toMatch(discardWebsocketOnCommFailure ? /1006/ : /100[056]/);
  });

  it('its own network falls silent: the server cuts it after the agreed time', async () => {
    const { seen, back } = await connect({ heartbeatOutgoing: 200 });
    proxy.hold('to server');
    await until(() => seen.includes('error heartbeat'));
    proxy.heal();
    await back();
    expect(seen).toEqual([...BEGIN, 'error heartbeat', 'close 1002', ...BEGIN]);
  });

  it('nobody answers in its connectionTimeout', async () => {
    proxy.hold('to client');
    const coming = connect({ connectionTimeout: 200 });
    // The second try is under way.
    await until(async () => proxy.made > 1);
    proxy.heal();
    const { seen } = await coming;
    expect(seen.slice(0, 2)).toEqual(['before connect', 'close 1006']);
  });
});

describe('stays away', () => {
  it('by DISCONNECT', async () => {
    const { client, seen } = await connect();
    await client.deactivate();
    await sleep(5 * DELAY);
    expect(seen).toEqual([...BEGIN, 'disconnect', expect.stringMatching(/^close 100[05]$/)]);
    expect(await served.sessions()).toEqual([]);
  });

  it('by a word while it waits to come back', async () => {
    const { client, seen } = await connect();
    client.onWebSocketClose = () => queueMicrotask(() => void client.deactivate()); // the delay runs by then
    proxy.reset();
    await until(() => !client.active);
    await sleep(5 * DELAY);
    expect(seen).toEqual(BEGIN);
  });
});
