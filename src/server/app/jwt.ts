/** A token (JWT, RFC 7519) checked: who it is from, and until when. What is taken follows RFC 8725. */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { CLOSE, Refusal } from '../refusal.ts';
import { quote } from '../stomp/protocol-error.ts';
import { checkNames, type Identity } from './guard.ts';
import type { Keys } from './keys.ts';

/** What tokens are measured by. */
export interface JwtRules {
  keys: Keys;
  /** undefined: any. */
  issuer: string | undefined;
  audience: string | undefined;
  /** Milliseconds that clocks may differ. */
  skew: number;
  /** The claim that holds the role. */
  roleClaim: string;
  allowNoExp: boolean;
}

export interface Verified extends Identity {
  /** Milliseconds since 1970, skew included; undefined: no token ends it. */
  expiresAt: number | undefined;
}

/** Characters: more than any issuer writes, and few enough to be looked at. */
const MAX_TOKEN = 8192;
/** Three parts, signed and not encrypted; nothing but base64url, which decoders are laxer about (RFC 7515, 5.2). */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * @param now milliseconds since 1970
 * @throws Refusal that says what is wrong, and nothing of the token
 * @throws WssessError `keys_unreachable`
 */
export async function verifyToken(token: string, rules: JwtRules, now: number): Promise<Verified> {
  if (token.length > MAX_TOKEN) throw new Refusal(`the token has more than ${MAX_TOKEN} characters`, NEW_TOKEN);
  const { keys } = rules;
  const header = headerOf(token, keys.algorithms);
  for (const again of [false, true]) {
    for (const key of await keys.candidates(header, again)) {
      const payload = await payloadOf(token, key, rules, now);
      if (payload) return verified(payload, rules);
    }
  }
  throw new Refusal('no key of this server has signed the token', NEW_TOKEN);
}

/** The claims, if this key has signed them. @throws Refusal for claims that don't hold */
async function payloadOf(
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { keys, issuer, audience, skew, allowNoExp }: JwtRules,
  now: number,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...keys.algorithms],
      clockTolerance: skew / 1000,
      currentDate: new Date(now),
      requiredClaims: allowNoExp ? ['sub'] : ['sub', 'exp'],
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    });
    return payload;
  } catch (error) {
    // What is no JOSEError is of the key: one of no use in a key set, RSA of 512 bits for example.
    if (error instanceof errors.JWSSignatureVerificationFailed || !(error instanceof errors.JOSEError))
      return undefined;
    throw toldOf(error);
  }
}

const NEW_TOKEN = 'Send a valid token.';

/**
 * The algorithm is this server's to choose, of its key's kind; the token can only agree (RFC 8725, 3.1). Of the other
 * parameters `kid` alone is used, and compared with keys that are there: `jwk`, `jku`, `x5u` and `x5c` are nobody's.
 * What `crit` says must be understood is not (RFC 7515, 4.1.11).
 */
function headerOf(token: string, algorithms: readonly string[]): { alg: string; kid?: string } {
  let header: { alg?: unknown; kid?: unknown; crit?: unknown };
  try {
    if (!COMPACT.test(token)) throw new Error();
    header = decodeProtectedHeader(token);
  } catch {
    throw new Refusal('this is no token (JWT)', NEW_TOKEN);
  }
  const { alg, kid, crit } = header;
  if (typeof alg !== 'string') throw new Refusal('the token names no algorithm', NEW_TOKEN);
  if (!algorithms.includes(alg)) {
    throw new Refusal(`the algorithm ${quote(alg)} is none of this server's key`, NEW_TOKEN);
  }
  if (crit !== undefined) throw new Refusal("the token's crit asks for what this server does not know", NEW_TOKEN);
  if (kid === undefined) return { alg };
  if (typeof kid !== 'string') throw new Refusal("the token's kid is no text", NEW_TOKEN);
  return { alg, kid };
}

function verified(payload: JWTPayload, { roleClaim, skew }: JwtRules): Verified {
  const { sub, exp } = payload;
  if (typeof sub !== 'string' || sub === '') throw new Refusal("the token's sub is no text", NEW_TOKEN);
  if (exp !== undefined && !Number.isFinite(exp)) throw new Refusal("the token's exp is no time", NEW_TOKEN); // 1e999
  return {
    ...checkNames({ user: sub, role: roleOf(payload, roleClaim) }, "sub and the role's claim"),
    expiresAt: exp === undefined ? undefined : exp * 1000 + skew,
  };
}

/** A string, or the first of a list of strings; none without the claim. */
function roleOf(payload: JWTPayload, claim: string): string | null {
  const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
  const role: unknown = Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
  if (role !== null && typeof role !== 'string') throw new Refusal("the token's role is no text", NEW_TOKEN);
  return role || null;
}

/** NumericDates (RFC 7519, 4.1). */
const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat']);

/** What the client is told. Claims are only looked at once the signature is right. */
function toldOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return expired('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload } = error;
    const isTime = TIMES.has(claim);
    const what =
      reason === 'missing'
        ? 'is missing'
        : isTime && !Number.isFinite(payload[claim])
          ? 'is no time'
          : isTime
            ? 'is yet to come' // nbf: one that has been is JWTExpired, and nobody asks for the age
            : 'is not what it must be';
    return new Refusal(`the token's ${claim} ${what}`, NEW_TOKEN);
  }
  return new Refusal('the token cannot be checked', NEW_TOKEN); // its claims are no JSON object
}

/** The end of a token, and of the session that has no other. */
export function expired(message: string): Refusal {
  return new Refusal(message, 'Connect again with a new token.', CLOSE.tokenExpired, {}, 'token_expired');
}
