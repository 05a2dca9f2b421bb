/** Of the settings, who may come in: the guard of the STOMP door, and what must be named before serve listens for others. */
import { WssessError } from '../../common/errors.ts';
import type { SettingName, Values } from '../../common/settings.ts';
import { isLoopback } from '../doorkeeper.ts';
import { type ApiTokens, isGuarded } from '../rest/authority.ts';
import type { Guard } from './guard.ts';
import { HEADER_TRUST } from './header-trust.ts';
import { KeySet } from './jwks.ts';
import type { JwtRules } from './jwt.ts';
import { type Keys, publicKey, secretKey } from './keys.ts';
import { Tokens } from './tokens.ts';

export interface Access {
  /** The three kinds of key; one of them at most. */
  jwtSecret: string | undefined;
  /** A file. */
  jwtPublicKey: string | undefined;
  jwksUrl: string | undefined;
  jwt: Omit<JwtRules, 'keys'>;
  api: ApiTokens;
  /** Listen off loopback all the same. */
  insecure: boolean;
}

/** @param get reads a setting */
export function accessOf(get: <N extends SettingName>(name: N) => Values[N]): Access {
  return {
    jwtSecret: get('jwtSecret'),
    jwtPublicKey: get('jwtPublicKey'),
    jwksUrl: get('jwksUrl'),
    jwt: {
      issuer: get('jwtIssuer'),
      audience: get('jwtAudience'),
      skew: get('jwtSkew'),
      roleClaim: get('jwtRoleClaim'),
      allowNoExp: get('allowNoExp'),
    },
    api: { operator: get('apiToken'), viewer: get('apiViewerToken') },
    insecure: get('insecure'),
  };
}

/**
 * @returns whether clients need a token
 * @throws WssessError `usage` for keys that contradict each other, or tokens of REST that are the same
 */
export function needsToken({ jwtSecret, jwtPublicKey, jwksUrl, jwt, api }: Access): boolean {
  const named = [jwtSecret, jwtPublicKey, jwksUrl].filter((one) => one !== undefined).length;
  if (named > 1) {
    // A token would be whoever's whose key is the weakest.
    throw new WssessError('usage', "clients' tokens have more than one key", {
      advice: 'Name one of WSSESS_JWT_SECRET, --jwt-public-key and --jwks-url.',
    });
  }
  if (named === 0 && (jwt.issuer !== undefined || jwt.audience !== undefined || jwt.allowNoExp)) {
    throw new WssessError(
      'usage',
      "--jwt-issuer, --jwt-audience or --allow-no-exp is set, but no key for clients' tokens",
      {
        advice: 'Name one: WSSESS_JWT_SECRET, --jwt-public-key or --jwks-url.',
      },
    );
  }
  if (api.operator !== undefined && api.operator === api.viewer) {
    throw new WssessError('usage', 'WSSESS_API_TOKEN and WSSESS_API_VIEWER_TOKEN are the same', {
      advice: 'Make another for viewers, who may not act.',
    });
  }
  return named === 1;
}

/**
 * Off loopback a key for clients and a token for REST are needed, unless --insecure.
 * @throws WssessError `not_loopback`, `usage`
 */
export function checkAccess(host: string, access: Access): void {
  const { api, insecure } = access;
  const missing = [
    ...(needsToken(access) ? [] : ['no key for clients']),
    ...(api.operator === undefined && api.viewer === undefined ? ['no token for REST'] : []),
  ];
  if (missing.length === 0 || insecure || isLoopback(host)) return;
  throw new WssessError('not_loopback', `${host} is not a loopback address, and there is ${missing.join(' and ')}`);
}

/** What the operator should know: which doors ask for no token. */
export function openDoors(host: string, access: Access): string[] {
  const where = isLoopback(host) ? 'on loopback only' : `though it listens on ${host}: anyone may come in as anyone`;
  const doors: string[] = [];
  if (!needsToken(access)) {
    doors.push(`clients need no token: the CONNECT headers userId (or login) and userRole are trusted, ${where}`);
  }
  if (!isGuarded(access.api) && !isLoopback(host)) {
    doors.push(`REST needs no token, though it listens on ${host}: anyone may throw sessions out`);
  }
  return doors;
}

/** @throws WssessError `usage` for a key that is none */
export function guardOf(access: Access, fault: (error: WssessError) => void): Guard {
  const keys = keysOf(access, fault);
  return keys ? new Tokens({ ...access.jwt, keys }) : HEADER_TRUST;
}

function keysOf({ jwtSecret, jwtPublicKey, jwksUrl }: Access, fault: (error: WssessError) => void): Keys | undefined {
  if (jwtSecret !== undefined) return secretKey(jwtSecret);
  if (jwtPublicKey !== undefined) return publicKey(jwtPublicKey);
  return jwksUrl === undefined ? undefined : new KeySet(jwksUrl, { fault });
}
