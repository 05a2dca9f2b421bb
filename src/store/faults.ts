/** What ioredis and Redis say of a fault, told as a WssessError: what happened, why, and what to do. */
import { WssessError } from '../common/errors.ts';

/** Of whom it is told. */
export interface Told {
  kind: 'redis' | 'sentinel' | 'cluster';
  /** For people, without a password: `Redis at host:port`. */
  name: string;
  /** Where Sentinel or Cluster say that the master is. */
  master?: () => string | undefined;
}

/**
 * @param error of a command or of connecting
 * @param fault what the connection last complained of: it explains a bare "Connection is closed"
 * @throws what is no fault of Redis or of the network, but of wssess
 */
export function translate(error: Error, fault: Error | undefined, told: Told): WssessError {
  const { kind, name } = told;
  if (error instanceof WssessError) return error;
  if (error.name === 'ReplyError' && error.message.startsWith('WRONGTYPE'))
    return new WssessError('key_type', `${name}: ${ofWrongType(error)}`, { cause: error });
  if (error.name === 'ReplyError')
    return new WssessError(codeOfReply(error), `${name}: ${error.message}`, { cause: error, ...adviceOn(error, kind) });
  if (error.name === 'ParserError')
    return new WssessError('redis_refused', `${name}: what answers there does not speak as Redis does`, {
      cause: error,
    });
  if (!isOfConnection(error)) throw error;
  const cause: Error & { code?: string } = fault ?? error;
  if (cause instanceof WssessError) return cause;
  if (cause.name === 'ReplyError') return translate(cause, undefined, told);
  const why = isSilence(error) || isSilence(cause) ? 'it did not answer in time' : reasonOf(cause);
  const master = told.master?.();
  const of = master === undefined ? '' : `, its master ${master}`;
  return new WssessError('redis_unreachable', `${name}${of} cannot be reached: ${why}`, {
    cause: error,
    ...(cause.code !== undefined && adviceOnTls(cause.code)),
  });
}

/** What ioredis throws when the connection fails or is silent; anything else is a fault of ours. */
function isOfConnection(error: Error & { code?: string }): boolean {
  return (
    error.code !== undefined ||
    error.name === 'MaxRetriesPerRequestError' ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|Redis is already|connect ETIMEDOUT)/.test(
      error.message,
    )
  );
}

export function isUnknownScript(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}

/** It didn't answer within the time-out. */
function isSilence({ message }: Error): boolean {
  return message === 'Command timed out';
}

/** What a Redis says that was the master, and is so no more: of the master set, or of the slot. */
export function isStale(error: Error): boolean {
  return error.name === 'ReplyError' && /^(READONLY|MOVED|CLUSTERDOWN|MASTERDOWN|UNBLOCKED) /.test(error.message);
}

/** An error reply, as ioredis gives it. */
type Refused = Error & { command?: { name: string; args: readonly unknown[] } };

/** Redis doesn't say which key holds another type of value: the command does. */
function ofWrongType({ command: { name, args } = { name: '', args: [] } }: Refused): string {
  const command = name.toUpperCase();
  const isScript = command.startsWith('EVAL');
  const keys = isScript ? args.slice(2, 2 + Number(args[1])) : args.slice(0, 1);
  const want = TYPES.find(([commands]) => commands.test(command))?.[1];
  return `${keys.map(String).join(' or ')} holds another type of value${want ? `, where a ${want} belongs` : ''}`;
}

/** Types that commands of wssess work on. */
const TYPES: readonly [commands: RegExp, type: string][] = [
  [/^S(ADD|REM|CARD|SCAN|M?ISMEMBER)$/, 'set'],
  [/^Z/, 'sorted set'],
  [/^GET/, 'string'],
  [/(PUSH|POP)$/, 'list'],
];

/** Code of an error reply: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
function codeOfReply({ message }: Error): 'redis_denied' | 'redis_refused' {
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH |ERR invalid password|ERR Client sent AUTH)/.test(message))
    return 'redis_denied';
  return 'redis_refused';
}

/** Where the reply shows that the URL names another kind of store, or none that can be written now. */
function adviceOn({ message }: Error, kind: Told['kind']): { advice?: string } {
  const say = (advice: string) => ({ advice });
  if (kind === 'redis' && /^(MOVED|CROSSSLOT|ERR SELECT is not allowed in cluster mode)/.test(message))
    return say("It is a node of a Cluster: name it as redis-cluster://host:port, and the prefix as --prefix '{ws}'.");
  if (kind === 'redis' && /^ERR unknown command/.test(message))
    return say('wssess needs Redis 7.0 or newer; a Sentinel is named as redis-sentinel://host:port#master.');
  if (kind === 'cluster' && message.includes('cluster support disabled'))
    return say('It is no Cluster: name it as redis://host:port.');
  if (kind === 'sentinel' && /^ERR unknown command '?sentinel/i.test(message))
    return say('It is no Sentinel: name it as redis://host:port.');
  if (kind !== 'redis' && /^(READONLY|MOVED|CLUSTERDOWN|MASTERDOWN|UNBLOCKED|TRYAGAIN|ASK)/.test(message))
    return say('Another master takes over at the moment: repeat in some seconds.');
  return {};
}

/** Node's words for certificates: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

function reasonOf(fault: Error & { code?: string; host?: string }): string {
  const { code = '', message } = fault;
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    case 'ETIMEDOUT':
      return 'the connection timed out';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is not for ${fault.host ?? 'this host'}`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'what answers there does not speak TLS';
    case '':
      return /^(Stream isn|Reached the max retries)/.test(message)
        ? 'the connection is down'
        : message.replace(/\.$/, '');
    default:
      if (UNTRUSTED.includes(code)) return 'its certificate is signed by nobody whom this machine trusts';
      return isOfClientCertificate(code) ? 'it wants a certificate of its client' : code;
  }
}

const isOfClientCertificate = (code: string) => /^ERR_SSL_.*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/.test(code);

function adviceOnTls(code: string): { advice?: string } {
  if (UNTRUSTED.includes(code)) return { advice: 'Name the file of its CA (PEM) by --redis-ca, or WSSESS_REDIS_CA.' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return { advice: 'Name it by a name or address that its certificate holds (subjectAltName).' };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return { advice: 'Name its TLS port, or write redis:// without TLS.' };
  if (isOfClientCertificate(code)) return { advice: 'Name one, and its key, both PEM: --redis-cert and --redis-key.' };
  return {};
}
