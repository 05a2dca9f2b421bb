/** What a server is told: one place that reads it from the settings, for whoever starts one. */
import type { SettingName, Values } from '../common/settings.ts';
import { type Access, accessOf } from './app/access.ts';
import { type BrokerOptions, brokerOptions } from './broker/limits.ts';
import type { HeartBeat } from './stomp/heartbeat.ts';
import type { Limits } from './stomp/parser.ts';

/** Durations are milliseconds, sizes bytes. */
export interface ServerOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** undefined: the host name and the port. */
  node: string | undefined;
  ttl: number;
  /** Of one user, on all nodes together; 0: any number. */
  maxUserSessions: number;
  /** While Redis is away, CONNECT is answered, and the session registered later. */
  acceptUnregistered: boolean;
  heartBeat: HeartBeat;
  connectTimeout: number;
  /** WebSocket connects a second from one address; 0: no limit. */
  connectRate: number;
  limits: Limits;
  maxSubscriptions: number;
  maxBuffer: number;
  broker: BrokerOptions;
  /** Sessions that GET /api/session/all may list. */
  restAllMax: number;
  access: Access;
}

/**
 * @param get reads one setting
 * @throws WssessError `usage`
 */
export function serverOptions(get: <N extends SettingName>(name: N) => Values[N]): ServerOptions {
  const [send, receive] = get('heartBeat');
  return {
    host: get('host'),
    port: get('port'),
    node: get('node'),
    ttl: get('ttl'),
    maxUserSessions: get('maxUserSessions'),
    acceptUnregistered: get('redisDown') === 'accept',
    heartBeat: { send, receive },
    connectTimeout: get('connectTimeout'),
    connectRate: get('connectRate'),
    limits: { maxHeaders: get('maxHeaders'), maxHeaderBytes: get('maxHeader'), maxBody: get('maxBody') },
    maxSubscriptions: get('maxSubscriptions'),
    maxBuffer: get('maxBuffer'),
    broker: brokerOptions(get),
    restAllMax: get('restAllMax'),
    access: accessOf(get),
  };
}
