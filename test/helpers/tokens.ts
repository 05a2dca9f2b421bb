/** Tokens (JWT) as an issuer makes them, and as an attacker does. */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';

export const SECRET = 'a secret of 32 bytes or some more';
export const secretOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const nowInSeconds = (): number => Math.floor(Date.now() / 1000);

/** Signed by HS256 with SECRET, valid for an hour, unless said. */
export function sign(
  claims: JWTPayload,
  { key = secretOf(SECRET), ...header }: Partial<JWTHeaderParameters> & { key?: Uint8Array | KeyObject } = {},
): Promise<string> {
  const all = Object.hasOwn(claims, 'exp') ? claims : { exp: nowInSeconds() + 3600, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
}

/** Header and claims as they are given, whatever they are; the signature by HMAC with any bytes, or none. */
export function forge(header: unknown, claims: unknown, secret?: string | Buffer): string {
  return forgeText(JSON.stringify(header), JSON.stringify(claims), secret);
}

/** The same with texts that JSON.stringify would not write. */
export function forgeText(header: string, claims: string, secret?: string | Buffer): string {
  const signed = [header, claims].map((text) => Buffer.from(text).toString('base64url')).join('.');
  if (secret === undefined) return `${signed}.`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export const rsaPair = (modulusLength = 2048): Pair => generateKeyPairSync('rsa', { modulusLength });
export const ecPair = (namedCurve = 'P-256'): Pair => generateKeyPairSync('ec', { namedCurve });
export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
export const jwkOf = async (key: KeyObject, more: object = {}): Promise<object> => ({
  ...(await exportJWK(key)),
  ...more,
});

export interface Issuer {
  url: string;
  /** How often its keys were asked for. */
  fetches: number;
  /** What it answers. */
  keys: object[];
  /** Instead of the keys. */
  answer: ((respond: (status: number, body: string, headers?: Record<string, string>) => void) => void) | undefined;
  close(): Promise<void>;
}

/** A server on loopback that publishes keys. */
export async function startIssuer(keys: object[] = []): Promise<Issuer> {
  const server = createServer((_, response) => {
    issuer.fetches++;
    const respond = (status: number, body: string, headers = {}) => response.writeHead(status, headers).end(body);
    if (issuer.answer) issuer.answer(respond);
    else respond(200, JSON.stringify({ keys: issuer.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys.json`,
    fetches: 0,
    keys,
    answer: undefined,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return issuer;
}
