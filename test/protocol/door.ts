/** What the tests of the clauses share: a server on its embedded store, and clients that speak by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { type Got, open, type Talk, talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

export type Version = '1.0' | '1.1' | '1.2';

/** 1.2 changed little of 1.1: a clause that both have is tested in both. */
export const LATER: readonly Version[] = ['1.2', '1.1'];

export interface Door {
  /** A socket, no CONNECT yet. */
  open(): Promise<Talk>;
  /** A client that is connected, as a role that may send to users. */
  client(version: Version, headers?: Record<string, string>): Promise<Talk>;
  /** A client with the subscription `s`. */
  subscriber(version: Version, destination: string, headers?: Record<string, string>): Promise<Talk>;
  /** Waits until the server has forgotten the session, with its subscriptions and transactions. */
  gone(one: Talk): Promise<void>;
}

/** Starts a server for the tests of a file: `serve ARGS`. */
export function door(...args: string[]): Door {
  let serve: Serve;
  let state: string;
  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), 'wssess-protocol-'));
    serve = await startServe('', ['--send-roles', 'AGENT', ...args], { XDG_STATE_HOME: state });
  });
  afterEach(dropClients);
  afterAll(async () => {
    await serve?.stop();
    rmSync(state, { recursive: true });
  });
  const client: Door['client'] = (version, headers = {}) =>
    talk(serve.ws, 'kim', { 'accept-version': version, userRole: 'AGENT', ...headers });
  return {
    open: () => open(serve.ws),
    client,
    async subscriber(version, destination, headers = {}) {
      const one = await client(version);
      await one.sure('SUBSCRIBE', { id: 's', destination, ...headers });
      return one;
    },
    async gone({ session }) {
      const forgotten = async () => (await serve.rest(`/api/session/${session}`)).status === 404;
      await until(forgotten, 10_000, 'the session to be forgotten');
    },
  };
}

let names = 0;
/** Destinations that no other test has. */
export const newTopic = () => `/topic/t${++names}`;
export const newQueue = () => `/queue/q${++names}`;

/** Sends, and waits until the server has taken it. */
export async function send(one: Talk, destination: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) await one.sure('SEND', { destination }, body);
}

/** The bodies of all messages that were sent to a client before now: those come before a receipt that is asked for now. */
export async function bodies(one: Talk): Promise<string[]> {
  await one.sure('SEND', { destination: '/topic/of-nobody' });
  return one.frames('MESSAGE').map(({ body }) => body.toString());
}

/** The headers by which ACK and NACK name a message. */
export function naming(version: Version, got: Got): Record<string, string> {
  if (version === '1.2') return { id: got.header('ack') ?? '' };
  const messageId = { 'message-id': got.header('message-id') ?? '' };
  return version === '1.0' ? messageId : { ...messageId, subscription: got.header('subscription') ?? '' };
}
