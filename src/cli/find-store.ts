/** Which store a command speaks to: the Redis that is named, or the embedded one that a `wssess serve` carries here. */
import { type ErrorCode, WssessError } from '../common/errors.ts';
import { type RedisAddress, redisAddress } from '../common/redis-address.ts';
import { read, resolve } from '../common/settings.ts';
import { defaultStateFile, readState, type State } from '../store/state-file.ts';
import type { Io } from './io.ts';

export interface Found extends RedisAddress {
  /** Of the keys. */
  prefix: string;
  /** Set for the embedded store: what its state file says, which may be stale. */
  embedded?: State;
  /** Where the embedded store is by now: that of a serve that was started again has another port and password. */
  again?: () => string;
}

export function stateFile(flags: Record<string, unknown>, io: Io): string {
  return read('stateFile', flags, io.env) ?? defaultStateFile(io.env);
}

/**
 * Flag, then variable, then the state file of the embedded store; never a silent localhost:6379.
 * @throws WssessError `no_store`, `usage`
 */
export function findStore(flags: Record<string, unknown>, io: Io): Found {
  const prefix = read('prefix', flags, io.env);
  const named = redisAddress(flags, io.env);
  if (named) return { ...named, prefix };
  const file = stateFile(flags, io);
  const state = readState(file);
  if (!state) throw new WssessError('no_store', 'no Redis is named, and no embedded store runs here');
  return {
    url: urlOf(state),
    again: () => urlOf(readState(file) ?? state),
    source: file,
    // The one that serve was given, unless another is asked for.
    prefix: resolve('prefix', flags, io.env).source === 'default' ? state.prefix : prefix,
    embedded: state,
  };
}

function urlOf({ password, port }: State): string {
  return `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`;
}

/** What a person is told of the embedded store. */
export function nameOf({ pid, port }: State): string {
  return `embedded store of process ${pid} on 127.0.0.1:${port}`;
}

/** Faults that a store gives which isn't there any more, or another in its place. */
const FAULTS: readonly unknown[] = ['redis_unreachable', 'redis_denied', 'redis_refused'] satisfies ErrorCode[];

/** A fault of the embedded store, in words that speak of no Redis. */
export async function whyNot(fault: unknown, state: State, file: string): Promise<unknown> {
  if (!(fault instanceof WssessError && FAULTS.includes(fault.code))) return fault;
  const { isAlive } = await import('../store/alive.ts');
  if (!(await isAlive(state))) {
    return new WssessError('store_gone', `the embedded store of process ${state.pid} is gone, ${file} is stale`);
  }
  if (fault.code !== 'redis_unreachable') return fault;
  return new WssessError('redis_unreachable', `the ${nameOf(state)} did not answer in time`, {
    advice: `Look whether process ${state.pid} is stopped or busy, then repeat.`,
    cause: fault,
  });
}
