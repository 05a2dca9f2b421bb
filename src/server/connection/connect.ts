/** CONNECT, and STOMP, which is the same (1.2 "Connecting"). */

import { SERVER } from '../../common/version.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { ownHeader, VERSIONS } from '../stomp/frame.ts';
import { agree, parseHeartBeat } from '../stomp/heartbeat.ts';
import { negotiate } from '../stomp/versions.ts';
import type { Handler } from './handlers.ts';

/** Agrees on the version, learns who it is, and registers; only then CONNECTED is sent. */
export const connect: Handler = async (connection, frame, services) => {
  const version = negotiate(frame.headers.get('accept-version'));
  if (!version) {
    // 1.2 "Protocol Negotiation": the ERROR lists the versions that the server speaks.
    const ours = [...VERSIONS].reverse();
    throw new Refusal(`Supported protocol versions are ${ours.join(' ')}`, '', CLOSE.protocol, {
      version: ours.join(','),
    });
  }
  connection.version = version;
  const theirs = version === '1.0' ? undefined : ownHeader(frame, 'heart-beat', version);
  const heartBeat = agree(services.heartBeat, parseHeartBeat(theirs));
  const ended = () => connection.state === 'closed'; // by the client, a kick, or the end of its token
  connection.connecting();
  const { user, role } = await services.guard.authenticate(frame, connection);
  if (ended()) return;
  connection.user = user;
  connection.role = role;
  await services.register(connection);
  if (ended()) return;
  connection.opened();
  connection.sendFrame('CONNECTED', {
    version,
    session: connection.id,
    server: SERVER,
    'user-name': user,
    'heart-beat': `${services.heartBeat.send},${services.heartBeat.receive}`,
  });
  connection.heartBeats.start(heartBeat);
};
