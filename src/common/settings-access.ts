/** The settings that say who may come in: keys for clients' tokens, tokens for REST. Part of the table in settings.ts. */
import { setting } from './settings-type.ts';

/** What an HTTP header carries as it is. */
const TOKEN = /^[\x21-\x7e]+$/;

export const ACCESS = {
  jwtSecret: setting({
    flag: '',
    variable: 'WSSESS_JWT_SECRET',
    key: 'jwt.secret',
    type: 'secret',
    default: undefined,
    help: "secret that clients' tokens are signed with by HS256, 32 bytes at least",
    min: 32, // RFC 7518, 3.2: as long as the hash
  }),
  jwtPublicKey: setting({
    flag: '--jwt-public-key <file>',
    variable: 'WSSESS_JWT_PUBLIC_KEY',
    key: 'jwt.public_key',
    type: 'text',
    default: undefined,
    help: "file that holds the public key of clients' tokens, in PEM: RSA, EC or Ed25519",
  }),
  jwksUrl: setting({
    flag: '--jwks-url <url>',
    variable: 'WSSESS_JWKS_URL',
    key: 'jwt.jwks_url',
    type: 'text',
    default: undefined,
    help: "where the issuer of clients' tokens publishes its keys (JWKS): https, or http on loopback",
  }),
  jwtIssuer: setting({
    flag: '--jwt-issuer <issuer>',
    variable: 'WSSESS_JWT_ISSUER',
    key: 'jwt.issuer',
    type: 'text',
    default: undefined,
    help: 'iss that a token must have; any unless named',
  }),
  jwtAudience: setting({
    flag: '--jwt-audience <audience>',
    variable: 'WSSESS_JWT_AUDIENCE',
    key: 'jwt.audience',
    type: 'text',
    default: undefined,
    help: 'aud that a token must have, alone or among others; any unless named',
  }),
  jwtRoleClaim: setting({
    flag: '--jwt-role-claim <name>',
    variable: 'WSSESS_JWT_ROLE_CLAIM',
    key: 'jwt.role_claim',
    type: 'text',
    default: 'role',
    help: 'claim of a token that holds the role: a string, or a list whose first is taken',
  }),
  jwtSkew: setting({
    flag: '--jwt-skew <duration>',
    variable: 'WSSESS_JWT_SKEW',
    key: 'jwt.skew',
    type: 'duration',
    default: '30s',
    help: 'how far the clocks of issuer and server may be apart: exp is taken later, nbf earlier by it',
    min: 0,
    max: 3_600_000,
  }),
  allowNoExp: setting({
    flag: '--allow-no-exp',
    variable: 'WSSESS_ALLOW_NO_EXP',
    key: 'jwt.allow_no_exp',
    type: 'switch',
    default: 'false',
    help: 'take tokens without exp, whose sessions no token ends',
  }),
  apiToken: setting({
    flag: '',
    variable: 'WSSESS_API_TOKEN',
    key: 'rest.token',
    type: 'secret',
    default: undefined,
    help: 'bearer token of REST for operators, who may read and act',
    pattern: TOKEN,
  }),
  apiViewerToken: setting({
    flag: '',
    variable: 'WSSESS_API_VIEWER_TOKEN',
    key: 'rest.viewer_token',
    type: 'secret',
    default: undefined,
    help: 'bearer token of REST for viewers, who may only read',
    pattern: TOKEN,
  }),
  insecure: setting({
    flag: '--insecure',
    variable: 'WSSESS_INSECURE',
    key: 'server.insecure',
    type: 'switch',
    default: 'false',
    help: 'listen off loopback without a key for clients or without a token for REST: anyone may come in as anyone',
  }),
} as const;
