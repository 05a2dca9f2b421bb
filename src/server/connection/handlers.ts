/** One small handler a client frame. Each throws a Refusal, or a ProtocolError, for what can't be served. */

import { type Guard, TOKEN_DESTINATION } from '../app/guard.ts';
import type { Broker } from '../broker/broker.ts';
import type { AckMode } from '../broker/subscriptions.ts';
import { CLOSE } from '../refusal.ts';
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

const ACK_MODES: readonly AckMode[] = ['auto', 'client', 'client-individual'];

export type Handler = (connection: Connection, frame: Frame, services: Services) => Promise<void> | void;

const asksForReceipt = ({ version }: Connection, frame: Frame) => ownHeader(frame, 'receipt', version) !== undefined;

/**
 * What was sent is on its way to other nodes: a receipt says that they have it (1.2 "RECEIPT"). Who asks for none waits
 * only while too much is on its way.
 */
function passedOn(connection: Connection, frame: Frame, broker: Broker, sent: Promise<void> | undefined) {
  return sent && (asksForReceipt(connection, frame) ? sent : broker.room);
}

/** 1.2 "SEND": the destination is required; the body goes to whoever subscribes to it, in a transaction at its COMMIT. */
const send: Handler = (connection, frame, { broker, guard }) => {
  const destination = required(connection, frame, 'destination');
  if (destination === TOKEN_DESTINATION) return guard.renew(frame, connection);
  const transaction = ownHeader(frame, 'transaction', connection.version);
  return passedOn(connection, frame, broker, broker.send(connection, destination, frame, transaction));
};

/**
 * 1.2 "SUBSCRIBE": the id names the subscription within this connection; 1.0 may leave it out. A receipt says that what is
 * sent from now on arrives, on other nodes too.
 */
const subscribe: Handler = (connection, frame, { broker, guard }) => {
  const destination = required(connection, frame, 'destination');
  const { version } = connection;
  const id = version === '1.0' ? ownHeader(frame, 'id', version) : required(connection, frame, 'id');
  const named = ownHeader(frame, 'ack', version) ?? 'auto';
  const ack = ACK_MODES.find((mode) => mode === named);
  if (!ack) throw new ProtocolError(`The ack mode ${quote(named)} is none of auto, client, client-individual`);
  const add = () => {
    if (connection.state === 'closed') return;
    const heard = broker.subscribe(connection, destination, id, ack);
    return asksForReceipt(connection, frame) ? heard : undefined;
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

/**
 * 1.2 "ACK", "NACK": `id` is the header ack of the MESSAGE. 1.1: its message-id and subscription. 1.0: its message-id; some
 * clients add the subscription, and then mean that one.
 */
const acknowledge =
  (accepted: boolean): Handler =>
  (connection, frame, { broker }) => {
    const { version } = connection;
    if (!accepted && version === '1.0') throw new ProtocolError('NACK is no frame of STOMP 1.0');
    const subscription = ownHeader(frame, 'subscription', version);
    if (version === '1.1' && subscription === undefined)
      throw new ProtocolError(`${frame.command} without subscription`);
    const named =
      version === '1.2'
        ? { ack: required(connection, frame, 'id') }
        : { messageId: required(connection, frame, 'message-id'), subscription };
    const transaction = ownHeader(frame, 'transaction', version);
    broker.desk(connection).acknowledge(named, accepted, version !== '1.0', transaction);
  };

/** 1.2 "BEGIN": the name is the connection's own, and free again after COMMIT or ABORT. */
const begin: Handler = (connection, frame, { broker }) =>
  broker.desk(connection).begin(required(connection, frame, 'transaction'));

/** 1.2 "COMMIT": all that the transaction holds is done, in one go. */
const commit: Handler = (connection, frame, { broker }) => {
  const { done, sent } = broker.desk(connection).commit(required(connection, frame, 'transaction'));
  const pass = () => passedOn(connection, frame, broker, sent());
  return done ? done.then(pass) : pass();
};

/** 1.2 "ABORT": nothing of it is done. */
const abort: Handler = (connection, frame, { broker }) =>
  broker.desk(connection).abort(required(connection, frame, 'transaction'));

/**
 * Whether a frame has to wait, because one of those who would get its message is behind already.
 * @returns when to ask again; undefined: now
 */
export function roomFor(connection: Connection, frame: Frame, { broker }: Services): Promise<void> | undefined {
  const { version } = connection;
  // A transaction looks for itself when it is committed.
  if (frame.command !== 'SEND' || ownHeader(frame, 'transaction', version) !== undefined) return undefined;
  return broker.roomAt(ownHeader(frame, 'destination', version) ?? '');
}

export const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['CONNECT', connect],
  ['STOMP', connect],
  ['SEND', send],
  ['SUBSCRIBE', subscribe],
  ['UNSUBSCRIBE', unsubscribe],
  ['DISCONNECT', disconnect],
  ['ACK', acknowledge(true)],
  ['NACK', acknowledge(false)],
  ['BEGIN', begin],
  ['COMMIT', commit],
  ['ABORT', abort],
]);

function required(connection: Connection, frame: Frame, name: string): string {
  const value = ownHeader(frame, name, connection.version);
  if (value === undefined || value === '') throw new ProtocolError(`${frame.command} without ${name}`);
  return value;
}
