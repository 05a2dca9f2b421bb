/**
 * A JWK Set (RFC 7517, 5) that an issuer publishes: fetched when it is needed, seldom, and kept while its server is away.
 * The address comes from the settings alone: what a token names (`jku`, `x5u`) is never fetched (RFC 8725, 3.10).
 */
import { once } from 'node:events';
import { get as getPlainly, type IncomingMessage } from 'node:http';
import { get as getSafely } from 'node:https';
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { WssessError } from '../../common/errors.ts';
import { isLoopback } from '../doorkeeper.ts';
import { ASYMMETRIC, type Keys } from './keys.ts';

/** Milliseconds between the beginnings of two fetches, whatever clients send. */
const LEAST_PAUSE = 30_000;
/** Milliseconds after which the set is fetched anew: so long a key that was withdrawn may still be taken. */
const MAX_AGE = 600_000;
const TIMEOUT = 5000;
const MAX_BYTES = 1 << 20;
/** Keys that are tried for a token that names none. */
const MAX_TRIES = 8;

interface KeySetOptions {
  /** It could not be fetched. */
  fault(error: WssessError): void;
  /** Milliseconds of a clock that only goes on. */
  now?: () => number;
  timeout?: number;
}

export class KeySet implements Keys {
  readonly algorithms = ASYMMETRIC;
  readonly #url: URL;
  readonly #options: Required<KeySetOptions>;
  #select: ReturnType<typeof createLocalJWKSet> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  /** Why there is none. */
  #why = "the keys of clients' tokens are not there yet";

  /** @throws WssessError `usage` for an address that others could answer for */
  constructor(url: string, options: KeySetOptions) {
    this.#url = checkUrl(url);
    this.#options = { now: () => performance.now(), timeout: TIMEOUT, ...options };
  }

  start(): void {
    void this.#fetch();
  }

  async candidates(header: { alg: string; kid?: string }, again: boolean): Promise<readonly CryptoKey[]> {
    if (again || this.#options.now() - this.#fetchedAt >= MAX_AGE) await this.#fetch();
    const select = this.#select;
    if (!select) throw new WssessError('keys_unreachable', this.#why);
    try {
      return [await select(header)];
    } catch (error) {
      const found: CryptoKey[] = [];
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return found; // none, or one of no use
      for await (const key of error) if (found.push(key) === MAX_TRIES) break;
      return found;
    }
  }

  /** Fetches the set unless that was tried a moment ago; on a failure the old one stays. Never rejects. */
  #fetch(): Promise<void> {
    const { now } = this.#options;
    if (this.#fetching) return this.#fetching;
    if (now() - this.#triedAt < LEAST_PAUSE) return Promise.resolve();
    this.#triedAt = now();
    this.#fetching = download(this.#url, this.#options.timeout)
      .then((set) => {
        this.#select = createLocalJWKSet(set as JSONWebKeySet);
        this.#fetchedAt = now();
      })
      .catch((error: unknown) => {
        // Neither a query of the address nor what was answered is for the log.
        const where = `${this.#url.origin}${this.#url.pathname}`;
        const kept = this.#select ? '; those fetched before are kept' : '';
        this.#why = `the keys of clients' tokens can't be fetched from ${where}: ${whyNot(error)}`;
        this.#options.fault(new WssessError('keys_unreachable', `${this.#why}${kept}`));
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) {
    throw new WssessError('usage', 'the JWKS URL is neither one of https nor one of http on loopback', {
      advice: 'Whoever can answer in its place could sign any token: use https://….',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new WssessError('usage', 'the JWKS URL holds a user or a password', {
      advice: 'Leave them out: the keys are public.',
    });
  }
  return url;
}

/**
 * One GET: no redirect is followed (it would lead anywhere), no more than MAX_BYTES are read, and all of it comes in time.
 * Not by fetch, whose time-out may be collected as garbage once the head of the answer is there.
 */
async function download(url: URL, timeout: number): Promise<unknown> {
  const get = url.protocol === 'https:' ? getSafely : getPlainly;
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const request = get(url, { agent: false, headers: { accept: 'application/jwk-set+json, application/json' }, signal });
  request.on('error', () => {}); // also when it is dropped below; `once` tells of the first
  const timer = setTimeout(() => giveUp.abort(), timeout);
  // A server that is to end doesn't wait for it.
  timer.unref();
  request.once('socket', (socket) => socket.unref());
  try {
    // With the signal too: a request that was answered by 101 ends without an error, and without a response.
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    const { statusCode, headers } = response;
    if (statusCode !== 200) {
      throw new Error(
        `it answers ${statusCode}${headers.location === undefined ? '' : ', and no redirect is followed'}`,
      );
    }
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
    return parse(Buffer.concat(parts));
  } catch (error) {
    throw signal.aborted ? new Error('it does not answer in time') : error;
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Error('it is no JSON'); // what V8 says would quote it
  }
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // Those of the system say it in their code, jose's in their message.
  return code === undefined || error instanceof errors.JOSEError ? message : code;
}
