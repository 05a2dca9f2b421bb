/** Who may knock, where no key is named: programs of this machine, and no web page (spec: closed by default). */
import type { IncomingMessage } from 'node:http';
import { WssessError } from '../common/errors.ts';

/** True for names and addresses that only this machine answers to. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/**
 * The Host must be a loopback name, which a page that was brought here by DNS rebinding doesn't have; an Origin must be
 * absent or the same host.
 * @throws WssessError `forbidden_origin`
 */
export function checkOrigin({ headers }: IncomingMessage): void {
  const host = hostname(`http://${headers.host ?? ''}`);
  if (host === undefined || !isLoopback(host)) {
    throw new WssessError('forbidden_origin', `the Host ${JSON.stringify(headers.host ?? '')} is not a loopback name`);
  }
  const { origin } = headers;
  if (origin !== undefined && hostname(origin) !== host) {
    throw new WssessError('forbidden_origin', `the Origin ${JSON.stringify(origin)} is another host`);
  }
}

function hostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
