/** The guard where a key is named: a CONNECT needs a token, and its session ends with it unless another follows. */
import { Refusal } from '../refusal.ts';
import { type Frame, ownHeader } from '../stomp/frame.ts';
import type { Client, Guard, Identity } from './guard.ts';
import { expired, type JwtRules, type Verified, verifyToken } from './jwt.ts';

/**
 * Milliseconds after which the clock is looked at again: it may have been set, or the machine asleep, and timers know of
 * neither. A delay of more than 24 days would fire at once, besides.
 */
const LOOK_EVERY = 600_000;

export class Tokens implements Guard {
  readonly #rules: JwtRules;
  /** What ends each session whose token ends. */
  readonly #timers = new Map<Client, NodeJS.Timeout>();

  constructor(rules: JwtRules) {
    this.#rules = rules;
  }

  start(): void {
    this.#rules.keys.start();
  }

  /** By the token in `Authorization`, or in `passcode`, where clients of 1.0 have their secrets. */
  async authenticate(frame: Frame, client: Client): Promise<Identity> {
    const token = tokenOf(frame, client, 'Authorization') ?? tokenOf(frame, client, 'passcode');
    if (token === undefined) {
      throw new Refusal(
        'no token in CONNECT',
        'Send the header Authorization: Bearer TOKEN, or the token as passcode.',
      );
    }
    const { user, role, expiresAt } = await this.#verify(token);
    this.#endAt(client, expiresAt);
    return { user, role };
  }

  /**
   * Another user would be another session, and so would another role: both are written down at CONNECT, and who was
   * given less since must not keep more.
   */
  async renew(frame: Frame, client: Client): Promise<void> {
    if (ownHeader(frame, 'transaction', client.version) !== undefined) {
      throw new Refusal('a new token is taken at once, in no transaction', 'Send it without the header transaction.');
    }
    const token = tokenOf(frame, client, 'Authorization');
    if (token === undefined) throw new Refusal('no token in SEND', 'Send the header Authorization: Bearer TOKEN.');
    const { user, role, expiresAt } = await this.#verify(token);
    refuseOther('user', user === client.user);
    refuseOther('role', role === client.role);
    this.#endAt(client, expiresAt);
  }

  check(frame: Frame, client: Client): Promise<void> | undefined {
    const token = tokenOf(frame, client, 'Authorization');
    if (token === undefined) return undefined;
    return this.#verify(token).then(({ user }) => refuseOther('user', user === client.user));
  }

  forget(client: Client): void {
    clearTimeout(this.#timers.get(client));
    this.#timers.delete(client);
  }

  #verify(token: string): Promise<Verified> {
    return verifyToken(token, this.#rules, Date.now());
  }

  #endAt(client: Client, expiresAt: number | undefined): void {
    this.forget(client);
    // It may have gone while its token was checked, and is never forgotten again.
    if (expiresAt === undefined || client.state === 'closed') return;
    const left = Math.max(0, expiresAt - Date.now());
    const look = () => {
      if (Date.now() < expiresAt) return this.#endAt(client, expiresAt);
      const { message, code, detail, cause } = expired('the token of this session has expired');
      client.end(cause, { code, reason: message, error: { body: detail } });
    };
    this.#timers.set(client, setTimeout(look, Math.min(left, LOOK_EVERY)));
  }
}

/** `Bearer TOKEN` (RFC 6750, 2.1; the scheme in any case) or the bare token, as some clients send it; undefined: none. */
function tokenOf(frame: Frame, { version }: Client, name: string): string | undefined {
  const token = ownHeader(frame, name, version)?.replace(/^bearer(?: +|$)/i, '');
  return token === '' ? undefined : token;
}

function refuseOther(what: string, same: boolean): void {
  if (!same) throw new Refusal(`the token is of another ${what}`, 'Connect again with it.');
}
