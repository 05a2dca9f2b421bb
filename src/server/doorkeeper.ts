/** Who may knock, where neither key nor token is asked for: programs of this machine, and no web page. */
import type { IncomingMessage } from 'node:http';
import { WssessError } from '../common/errors.ts';

/** True for names and addresses that only this machine answers to. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** What a door is like. */
export interface Door {
  /** A token is asked for behind it: where the page that has it comes from doesn't matter. */
  guarded: boolean;
  /** It is on loopback. */
  loopback: boolean;
}

/**
 * The Host must be a loopback name, which a page that was brought here by DNS rebinding doesn't have; an Origin must be
 * absent or the same host. Off loopback (--insecure) the server doesn't know its own names, and only the Origin counts.
 * @throws WssessError `forbidden_origin`
 */
export function checkOrigin({ headers }: IncomingMessage, { guarded, loopback }: Door): void {
  if (guarded) return;
  const host = hostname(`http://${headers.host ?? ''}`);
  if (loopback && (host === undefined || !isLoopback(host))) {
    throw new WssessError('forbidden_origin', `the Host ${JSON.stringify(headers.host ?? '')} is not a loopback name`);
  }
  const { origin } = headers;
  if (origin !== undefined && (host === undefined || hostname(origin) !== host)) {
    throw new WssessError('forbidden_origin', `the Origin ${JSON.stringify(origin)} is another host`);
  }
}

function hostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
