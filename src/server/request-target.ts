/** What a request asks for, however its first line says it (RFC 9112, 3.2). */
import type { IncomingMessage } from 'node:http';
import { WssessError } from '../common/errors.ts';

/** absolute-form: `http://host:port/path?query`, of clients that think of us as a proxy. */
const ABSOLUTE = /^(?:https?|wss?):\/\/([^/?#]*)([^#]*)$/i;

/**
 * Brings a request into origin-form: then `url` is path and query alone, and the Host header the authority that is meant.
 * With absolute-form that is the one of the target, and a Host header is ignored (RFC 9112, 3.2.2).
 * @throws WssessError `bad_request` for another scheme, an authority that is none, a Host that is none or two (3.2)
 */
export function toOriginForm(request: IncomingMessage): void {
  const { url = '', headers, headersDistinct } = request;
  if ((headersDistinct.host?.length ?? 0) > 1) throw new WssessError('bad_request', 'there is more than one Host');
  if (url.startsWith('/') || !url.includes('://')) {
    if (!headers.host || isAuthority(headers.host)) return;
    throw new WssessError('bad_request', `the Host ${JSON.stringify(headers.host)} is none`);
  }
  const [, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (!isAuthority(authority)) {
    throw new WssessError('bad_request', `the request target ${JSON.stringify(url)} is not served`);
  }
  headers.host = authority;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

/** Host and port. What is before an @ is only there to be taken for the host (RFC 9110, 4.2.4). */
function isAuthority(text: string): boolean {
  return text !== '' && !/[/?#@\\]/.test(text) && URL.canParse(`http://${text}`);
}
