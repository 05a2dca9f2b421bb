/** The keys that clients' tokens are checked with, and what algorithms each kind of key is for. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CryptoKey } from 'jose';
import { WssessError } from '../../common/errors.ts';

export interface Keys {
  /** Algorithms of this kind of key; what the token says must be among them (RFC 8725, 3.1). */
  readonly algorithms: readonly string[];
  /**
   * The keys that may have signed a token with this header.
   * @param again none of those given before did: look for newer ones
   * @throws WssessError `keys_unreachable`
   */
  candidates(header: { alg: string; kid?: string }, again: boolean): Promise<readonly (KeyObject | CryptoKey)[]>;
  /** Fetches what must be fetched. */
  start(): void;
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const EDWARDS = ['EdDSA', 'Ed25519'];
const CURVES: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};
/** Bits of an RSA key at least (RFC 7518, 3.3). */
const LEAST_RSA = 2048;

/** What can be checked with a public key. No HMAC: a public key is known to whoever would use it as a secret. */
export const ASYMMETRIC: readonly string[] = [...RSA, ...Object.values(CURVES).flat(), ...EDWARDS];

/**
 * A secret of 32 bytes or more (RFC 7518, 3.2), for HS256 alone.
 * @throws WssessError `usage` for a key of a pair: as a secret, its public half would let anyone sign
 */
export function secretKey(secret: string): Keys {
  if (/-----BEGIN |"kty"/.test(secret)) {
    throw new WssessError('usage', 'WSSESS_JWT_SECRET holds a key (PEM or JWK), which is no secret', {
      advice: 'Name the file of a public key with --jwt-public-key, or make a secret: openssl rand -base64 48.',
    });
  }
  return fixed(createSecretKey(Buffer.from(secret)), ['HS256']);
}

/**
 * The public key in a PEM file.
 * @throws WssessError `usage` when there is none, or one of no use for JWT
 */
export function publicKey(file: string): Keys {
  const wrong = (what: string, cause?: unknown): never => {
    throw new WssessError('usage', `the key of clients' tokens, ${file}: ${what}`, {
      advice: 'Name a PEM file with a public key: RSA of 2048 bits or more, EC (P-256, P-384, P-521) or Ed25519.',
      cause,
    });
  };
  let pem = '';
  try {
    pem = readFileSync(file, 'utf8');
  } catch (cause) {
    wrong((cause as NodeJS.ErrnoException).code ?? 'cannot be read', cause);
  }
  // Node would make the public key of it; but it has no business on this server.
  if (/PRIVATE KEY/.test(pem)) wrong('it holds a private key');
  // Node would take the first; tokens of the others would be refused without a word.
  if (pem.split('-----BEGIN ').length > 2) wrong('it holds more than one key');
  let key: KeyObject | undefined;
  try {
    key = createPublicKey(pem);
  } catch {
    // What Node says of it could quote the file.
  }
  const algorithms = key && algorithmsOf(key);
  return key && algorithms ? fixed(key, algorithms) : wrong('it holds no public key that tokens can be checked with');
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): readonly string[] | undefined {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails;
  switch (asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= LEAST_RSA ? RSA : undefined;
    case 'ec':
      return Object.hasOwn(CURVES, namedCurve) ? CURVES[namedCurve] : undefined;
    case 'ed25519':
      return EDWARDS;
    default:
      return undefined;
  }
}

/** One key that stays: the token's `kid` is of no interest. */
function fixed(key: KeyObject, algorithms: readonly string[]): Keys {
  return { algorithms, candidates: async (_, again) => (again ? [] : [key]), start() {} };
}
