/** https://redis.io/docs/latest/commands/?group=connection for RESP2 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client } from '../client.ts';
import type { Engine } from '../engine.ts';
import { integer, syntaxError } from '../protocol/arguments.ts';
import { Fault, OK, Status } from '../protocol/reply.ts';
import { container, type Handler, lower, type Rows, wrongArity } from './command.ts';

const ping: Handler = (args, { client }) => {
  if (args.length > 1) throw wrongArity('ping');
  if (client.subscriptions > 0) return ['pong', args[0] ?? ''];
  return args[0] ?? new Status('PONG');
};

const quit: Handler = (_, { client }) => {
  client.send(OK);
  client.wire.end();
  return undefined;
};

const select: Handler = ([text]) => {
  if (integer(text) !== 0) throw new Fault('ERR DB index is out of range');
  return OK;
};

/** @throws Fault WRONGPASS */
function authenticate(client: Client, engine: Engine, user: string, password: string): void {
  // Digests, so that the time tells neither the length nor how much was right.
  const [given, right] = [password, engine.password].map((text) =>
    createHash('sha256').update(text, 'latin1').digest(),
  );
  if (user !== 'default' || !timingSafeEqual(given!, right!)) {
    throw new Fault('WRONGPASS invalid username-password pair or user is disabled.');
  }
  client.authenticated = true;
}

const auth: Handler = (args, { client, engine }) => {
  if (args.length > 2) throw syntaxError();
  const [user, password] = args.length === 1 ? ['default', args[0]!] : [args[0]!, args[1]!];
  authenticate(client, engine, user, password);
  return OK;
};

function setName(client: Client, name: string): void {
  if (!/^[!-~]*$/.test(name)) {
    throw new Fault('ERR Client names cannot contain spaces, newlines or special characters.');
  }
  client.name = name;
}

/** HELLO [2 [AUTH user password] [SETNAME name]]. RESP3 isn't spoken. */
const hello: Handler = ([version, ...options], { client, engine }) => {
  if (version !== undefined && integer(version, 'ERR Protocol version is not an integer or out of range') !== 2) {
    throw new Fault('NOPROTO unsupported protocol version');
  }
  let name: string | undefined;
  for (let i = 0; i < options.length; i++) {
    const option = lower(options[i]);
    if (option === 'auth' && i + 2 < options.length) authenticate(client, engine, options[++i]!, options[++i]!);
    else if (option === 'setname' && i + 1 < options.length) name = options[++i]!;
    else throw new Fault(`ERR Syntax error in HELLO option '${options[i]}'`);
  }
  if (!client.authenticated) {
    throw new Fault(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> ' +
        '<pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  }
  if (name !== undefined) setName(client, name);
  const facts = {
    server: 'redis',
    version: engine.facts.redisVersion,
    proto: 2,
    id: client.id,
    mode: 'standalone',
    role: 'master',
  };
  return [...Object.entries(facts).flat(), 'modules', []];
};

/** What the connection had taken on is over. */
const reset: Handler = (_, { client, engine }) => {
  engine.release(client);
  client.authenticated = false;
  client.name = '';
  return new Status('RESET');
};

function describe(client: Client, engine: Engine): string {
  const seconds = (since: number) => Math.floor((Date.now() - since) / 1000);
  const { queue } = client.transaction ?? {};
  const listens = client.subscriptions > 0;
  const flag = engine.monitors.has(client) ? 'O' : listens ? 'P' : client.stopWaiting ? 'b' : queue ? 'x' : 'N';
  return [
    `id=${client.id} addr=${client.address} name=${client.name}`,
    `age=${seconds(client.since)} idle=${seconds(client.lastAt)}`,
    `flags=${flag} db=0`,
    `sub=${client.channels.size} psub=${client.patterns.size} multi=${queue?.length ?? -1}`,
    `cmd=${client.lastCommand} user=default resp=2`,
  ].join(' ');
}

const clientName: Handler = ([name], { client }) => {
  setName(client, name!);
  return OK;
};

const clientList: Handler = (args, { engine }) => {
  if (args.length > 0) throw syntaxError();
  return [...engine.clients].map((one) => `${describe(one, engine)}\n`).join('');
};

const monitor: Handler = (_, { client, engine, atomic }) => {
  if (atomic) throw new Fault("ERR MONITOR isn't allowed for DENY BLOCKING client");
  engine.monitors.add(client);
  return OK;
};

export const connection: Rows = {
  ping: [-1, 'pubsub', ping],
  echo: [2, '', ([text]) => text!],
  quit: [-1, 'noscript no_auth pubsub immediate', quit],
  reset: [1, 'noscript no_auth pubsub immediate', reset],
  select: [2, '', select],
  auth: [-2, 'noscript no_auth', auth],
  hello: [-1, 'noscript no_auth', hello],
  monitor: [1, 'noscript admin', monitor],
  client: container,
  'client|id': [2, 'noscript', (_, { client }) => client.id],
  'client|info': [2, 'noscript', (_, { client, engine }) => `${describe(client, engine)}\n`],
  'client|list': [-2, 'noscript admin', clientList],
  'client|getname': [2, 'noscript', (_, { client }) => client.name || null],
  'client|setname': [3, 'noscript', clientName],
};
