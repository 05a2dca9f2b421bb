/** One small handler a client frame. Each throws a Refusal, or a ProtocolError, for what can't be served. */

import { type Guard, TOKEN_DESTINATION } from '../app/guard.ts';
import type { Broker } from '../broker/broker.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { type Frame, ownHeader } from '../stomp/frame.ts';
import type { HeartBeat } from '../stomp/heartbeat.ts';
import { ProtocolError, quote } from '../stomp/protocol-error.ts';
import { connect } from './connect.ts';
import type { Connection } from './connection.ts';

/** What the handlers work with. */
export interface Services {
  broker: Broker;
  /** What this server can and wants, in ms. */
  heartBeat: HeartBeat;
  guard: Guard;
  /** Registers the session. @throws WssessError */
  register(connection: Connection): Promise<void>;
}

export type Handler = (connection: Connection, frame: Frame, services: Services) => Promise<void> | void;

/** 1.2 "SEND": the destination is required; the body goes to whoever subscribes to it. */
const send: Handler = (connection, frame, { broker, guard }) => {
  const destination = required(connection, frame, 'destination');
  if (destination === TOKEN_DESTINATION) return guard.renew(frame, connection);
  refuseTransaction(connection, frame);
  broker.send(destination, frame);
};

/** 1.2 "SUBSCRIBE": the id names the subscription within this connection; 1.0 may leave it out. */
const subscribe: Handler = (connection, frame, { broker, guard }) => {
  const destination = required(connection, frame, 'destination');
  const { version } = connection;
  const id = version === '1.0' ? ownHeader(frame, 'id', version) : required(connection, frame, 'id');
  const ack = ownHeader(frame, 'ack', version) ?? 'auto';
  if (!['auto', 'client', 'client-individual'].includes(ack)) {
    throw new ProtocolError(`The ack mode ${quote(ack)} is none of auto, client, client-individual`);
  }
  if (ack !== 'auto') throw absent(`The ack mode ${ack}`);
  const add = () => {
    if (connection.state !== 'closed') broker.subscribe(connection, destination, id);
  };
  const checked = guard.check(frame, connection);
  return checked ? checked.then(add) : add();
};

/** 1.2 "UNSUBSCRIBE": by id; 1.0 may name the destination instead. */
const unsubscribe: Handler = (connection, frame, { broker }) => {
  const { version } = connection;
  const id = ownHeader(frame, 'id', version);
  const destination = version === '1.0' ? ownHeader(frame, 'destination', version) : undefined;
  if (id === undefined && destination === undefined) {
    throw new ProtocolError(`UNSUBSCRIBE without ${version === '1.0' ? 'id or destination' : 'id'}`);
  }
  broker.unsubscribe(connection, id, destination);
};

/** 1.2 "DISCONNECT": the receipt says that all is done, the registry included. */
const disconnect: Handler = (connection, frame) =>
  connection.end('client', {
    code: CLOSE.normal,
    reason: 'disconnected',
    receipt: ownHeader(frame, 'receipt', connection.version),
  });

const later =
  (what: string): Handler =>
  () => {
    throw absent(what);
  };

export const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['CONNECT', connect],
  ['STOMP', connect],
  ['SEND', send],
  ['SUBSCRIBE', subscribe],
  ['UNSUBSCRIBE', unsubscribe],
  ['DISCONNECT', disconnect],
  ['ACK', later('ACK')],
  ['NACK', later('NACK')],
  ['BEGIN', later('A transaction')],
  ['COMMIT', later('A transaction')],
  ['ABORT', later('A transaction')],
]);

function required(connection: Connection, frame: Frame, name: string): string {
  const value = ownHeader(frame, name, connection.version);
  if (value === undefined || value === '') throw new ProtocolError(`${frame.command} without ${name}`);
  return value;
}

function refuseTransaction(connection: Connection, frame: Frame): void {
  if (ownHeader(frame, 'transaction', connection.version) !== undefined) throw absent('A transaction');
}

function absent(what: string): Refusal {
  return new Refusal(`${what} is not supported by this version of wssess`);
}
