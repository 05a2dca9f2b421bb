/** Who may do what over REST: bearer tokens (RFC 6750), compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WssessError } from '../../common/errors.ts';

/** undefined: not set. With neither, REST is open to programs of this machine. */
export interface ApiTokens {
  operator: string | undefined;
  viewer: string | undefined;
}

/** What a route asks for. */
export type Need = 'nothing' | 'viewer' | 'operator';

/** @throws WssessError `unauthorized`, `needs_operator` */
export function authorize(request: IncomingMessage, response: ServerResponse, need: Need, tokens: ApiTokens): void {
  if (need === 'nothing' || !isGuarded(tokens)) return;
  const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  // RFC 6750, 3: a challenge always, and the error only where there was a token.
  const challenge = (error?: string) =>
    response.setHeader('WWW-Authenticate', `Bearer realm="wssess"${error ? `, error="${error}"` : ''}`);
  if (given === undefined) {
    challenge();
    throw new WssessError('unauthorized', 'this route needs a bearer token');
  }
  // Both are compared, so that the time says nothing.
  const [isOperator, isViewer] = [same(given, tokens.operator), same(given, tokens.viewer)];
  if (isOperator || (isViewer && need === 'viewer')) return;
  challenge(isViewer ? 'insufficient_scope' : 'invalid_token');
  if (isViewer) throw new WssessError('needs_operator', 'a viewer may not do this');
  throw new WssessError('unauthorized', 'the bearer token is none of this server');
}

/** True when a token is asked for at all. */
export function isGuarded({ operator, viewer }: ApiTokens): boolean {
  return operator !== undefined || viewer !== undefined;
}

/** Digests have one length: neither it nor where they differ shows in the time. */
function same(given: string, wanted: string | undefined): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const equal = timingSafeEqual(digest(given), digest(wanted ?? ''));
  return equal && wanted !== undefined;
}
