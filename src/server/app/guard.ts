/** Who stands at the STOMP door: says whom a CONNECT is from, and how long that holds. */
import type { Cause } from '../../sessions/model.ts';
import { Refusal } from '../refusal.ts';
import type { Frame, Version } from '../stomp/frame.ts';

/** Whom a client is. */
export interface Identity {
  user: string;
  role: string | null;
}

/** What a guard sees of a connection. */
export interface Client extends Identity {
  readonly version: Version;
  readonly state: string;
  end(cause: Cause, ending: { code: number; reason: string; error: { body: string } }): unknown;
}

export interface Guard {
  /** The server starts: what takes time is fetched beforehand. */
  start(): void;
  /** Says who a CONNECT is from. @throws Refusal */
  authenticate(frame: Frame, client: Client): Promise<Identity> | Identity;
  /** SEND to TOKEN_DESTINATION: the session goes on with a new token. @throws Refusal */
  renew(frame: Frame, client: Client): Promise<void>;
  /** A token in a later frame; undefined when there is none to check. @throws Refusal */
  check(frame: Frame, client: Client): Promise<void> | undefined;
  /** The session ended. */
  forget(client: Client): void;
}

/** Where a client sends its new token. */
export const TOKEN_DESTINATION = '/app/session/token';

/** Bytes of UTF-8 that a user or a role may have: they become part of keys. */
const MAX_NAME = 512;
/** What a header of CONNECTED can't hold, and what isn't UTF-8: two such users would be one in Redis. */
const UNFIT = /[\0\n\r]|\p{Cs}/u;

/**
 * The identity that was claimed, if it can be kept.
 * @param where the names come from, for the client
 * @throws Refusal
 */
export function checkNames({ user, role }: Identity, where: string): Identity {
  for (const name of [user, role ?? '']) {
    if (Buffer.byteLength(name) > MAX_NAME) throw new Refusal(`${where} have at most ${MAX_NAME} bytes`);
    if (UNFIT.test(name)) throw new Refusal(`${where} hold what is no text of one line`);
  }
  return { user, role };
}
