/** A session ends when its token does, unless a new one comes: on a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../../src/server/app/guard.ts';
import { secretKey } from '../../../src/server/app/keys.ts';
import { Tokens } from '../../../src/server/app/tokens.ts';
import { type Frame, Headers } from '../../../src/server/stomp/frame.ts';
import { nowInSeconds, SECRET, sign } from '../../helpers/tokens.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => vi.useRealTimers());

const guard = (allowNoExp = false) =>
  new Tokens({
    keys: secretKey(SECRET),
    issuer: undefined,
    audience: undefined,
    skew: 30_000,
    roleClaim: 'role',
    allowNoExp,
  });

/** A connection, and how it was ended. */
function newClient() {
  const ended: { cause: string; code: number; reason: string; body: string }[] = [];
  const client = { version: '1.2', state: 'open', user: '', role: null, end } as Client & { state: string };
  function end(cause: string, { code, reason, error }: { code: number; reason: string; error: { body: string } }) {
    client.state = 'closed';
    ended.push({ cause, code, reason, body: error.body });
  }
  return { client, ended };
}

const frame = (headers: Record<string, string>, command = 'SEND'): Frame => ({
  command,
  headers: Headers.of(headers),
  body: Buffer.alloc(0),
});
const bearer = async (claims: object) => frame({ Authorization: `Bearer ${await sign({ sub: 'kim', ...claims })}` });

/** Connects as kim until `seconds` from now. */
async function connected(seconds: number | undefined, claims: object = {}, tokens = guard(seconds === undefined)) {
  const { client, ended } = newClient();
  const exp = seconds === undefined ? undefined : nowInSeconds() + seconds;
  Object.assign(client, await tokens.authenticate(await bearer({ exp, ...claims }), client));
  return { tokens, client, ended };
}

describe('the session ends when the token does', () => {
  test('at exp and the skew: cause token_expired, 4004', async () => {
    const { ended } = await connected(60);
    vi.advanceTimersByTime(88_000);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(2001);
    expect(ended).toMatchObject([{ cause: 'token_expired', code: 4004, reason: expect.stringContaining('expired') }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one of two years neither fires at once nor is forgotten', async () => {
    const { ended } = await connected((730 * DAY) / 1000);
    vi.advanceTimersByTime(729 * DAY);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(2 * DAY);
    expect(ended).toHaveLength(1);
  });

  test('by the clock on the wall: one that was set, or a machine that slept, does not lengthen it', async () => {
    const { ended } = await connected(3600);
    vi.setSystemTime(Date.now() + 2 * HOUR);
    vi.advanceTimersByTime(HOUR / 4);
    expect(ended).toMatchObject([{ cause: 'token_expired' }]);
    const late = await connected(60);
    vi.setSystemTime(Date.now() - HOUR);
    vi.advanceTimersByTime(HOUR);
    expect(late.ended).toEqual([]);
    vi.advanceTimersByTime(91_000);
    expect(late.ended).toHaveLength(1);
  });

  test('one without exp never ends', async () => {
    const { ended } = await connected(undefined);
    expect(vi.getTimerCount()).toBe(0);
    expect(ended).toEqual([]);
  });

  test('a session that ended before leaves no timer', async () => {
    const { tokens, client, ended } = await connected(60);
    tokens.forget(client);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(HOUR);
    expect(ended).toEqual([]);
  });

  test('nor does one whose socket died while its token was checked', async () => {
    const { client } = newClient();
    client.end = () => {};
    Object.assign(client, { state: 'closed' });
    await guard().authenticate(await bearer({ exp: nowInSeconds() + 60 }), client);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('renewal', () => {
  test('the session ends with the newest token, later or earlier', async () => {
    const { tokens, client, ended } = await connected(60);
    await tokens.renew(await bearer({ exp: nowInSeconds() + 3600 }), client);
    vi.advanceTimersByTime(HOUR);
    expect(ended).toEqual([]);
    await tokens.renew(await bearer({ exp: nowInSeconds() + 10 }), client);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(41_000);
    expect(ended).toMatchObject([{ code: 4004 }]);
  });

  test.each([
    ['another sub', { sub: 'lee' }, /another user/],
    ['another role', { role: 'ADMIN' }, /another role/],
    ['the past', { exp: 1000 }, /expired/],
  ])('a token of %s is refused, and the old one still counts', async (_, claims, message) => {
    const { tokens, client, ended } = await connected(60);
    await expect(tokens.renew(await bearer(claims), client)).rejects.toThrow(message);
    vi.advanceTimersByTime(91_000);
    expect(ended).toHaveLength(1);
  });

  test('without a token, with a passcode, or in a transaction it is refused', async () => {
    const { tokens, client } = await connected(60);
    const passcode = await sign({ sub: 'kim' });
    for (const headers of [
      {},
      { Authorization: '' },
      { Authorization: 'Bearer' },
      { Authorization: 'Bearer ' },
      { passcode },
    ]) {
      await expect(tokens.renew(frame(headers), client)).rejects.toThrow('no token in SEND');
    }
    const within = frame({ Authorization: passcode, transaction: 't' });
    await expect(tokens.renew(within, client)).rejects.toThrow('transaction');
  });
});

describe('where the token stands', () => {
  const identity = (headers: Record<string, string>) => guard().authenticate(frame(headers), newClient().client);

  test('Authorization with Bearer in any case, or bare; else passcode; Authorization is the stronger', async () => {
    const [kim, lee] = [await sign({ sub: 'kim' }), await sign({ sub: 'lee' })];
    for (const value of [`Bearer ${kim}`, `bearer ${kim}`, `BEARER  ${kim}`, kim]) {
      expect(await identity({ Authorization: value })).toEqual({ user: 'kim', role: null });
    }
    expect(await identity({ passcode: lee })).toEqual({ user: 'lee', role: null });
    expect(await identity({ Authorization: kim, passcode: lee })).toEqual({ user: 'kim', role: null });
    await expect(identity({ Authorization: 'x', passcode: lee })).rejects.toThrow('no token (JWT)');
  });

  test('Bearer and nothing behind it is no token: passcode is looked at', async () => {
    const passcode = await sign({ sub: 'lee' });
    for (const value of ['', 'Bearer', 'bearer', 'BEARER  ']) {
      await expect(identity({ Authorization: value })).rejects.toThrow('no token in CONNECT');
      expect(await identity({ Authorization: value, passcode })).toEqual({ user: 'lee', role: null });
    }
    expect(await identity({ passcode: `Bearer ${passcode}` })).toEqual({ user: 'lee', role: null });
  });

  test('header names have their case, as in all of STOMP; the first of repeated ones wins', async () => {
    const [kim, lee] = [await sign({ sub: 'kim' }), await sign({ sub: 'lee' })];
    for (const name of ['authorization', 'AUTHORIZATION', 'Authorization ', 'Passcode']) {
      await expect(identity({ [name]: `Bearer ${kim}` })).rejects.toThrow('no token in CONNECT');
    }
    const twice = (first: string, second: string) => ({
      ...frame({}),
      headers: Headers.of({ Authorization: first }).append('Authorization', second),
    });
    const { client } = newClient();
    expect(await guard().authenticate(twice(kim, lee), client)).toMatchObject({ user: 'kim' });
    await expect(guard().authenticate(twice('x', kim), client)).rejects.toThrow('no token (JWT)');
  });

  test('the padding of 1.0 goes; in 1.1 and 1.2 a space belongs to the value, and no token has one', async () => {
    const padded = frame({ Authorization: `  Bearer ${await sign({ sub: 'kim' })}` });
    for (const version of ['1.0', '1.1', '1.2'] as const) {
      const work = guard().authenticate(padded, { ...newClient().client, version });
      if (version === '1.0') expect(await work).toMatchObject({ user: 'kim' });
      else await expect(work).rejects.toThrow('no token (JWT)');
    }
  });

  test('header trust is off: userId, login and userRole count for nothing', async () => {
    const token = await sign({ sub: 'kim' });
    const headers = { userId: 'admin', login: 'admin', userRole: 'ADMIN' };
    expect(await identity({ ...headers, passcode: token })).toEqual({ user: 'kim', role: null });
    await expect(identity(headers)).rejects.toThrow('no token in CONNECT');
  });

  test('a later token is checked again: same user or none; without one there is nothing to wait for', async () => {
    const { tokens, client } = await connected(60);
    expect(tokens.check(frame({}), client)).toBeUndefined();
    await tokens.check(await bearer({}), client);
    await expect(tokens.check(await bearer({ sub: 'lee' }), client)).rejects.toThrow('another user');
    await expect(tokens.check(await bearer({ exp: 1000 }), client)).rejects.toThrow('expired');
  });
});
