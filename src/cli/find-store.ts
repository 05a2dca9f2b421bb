/** Which store a command speaks to: the Redis that is named, or the embedded one that a `wssess serve` carries here. */
import { WssessError } from '../common/errors.ts';
import { type RedisAddress, redisAddress } from '../common/redis-address.ts';
import { read, resolve } from '../common/settings.ts';
import { defaultStateFile, isAlive, readState } from '../store/state-file.ts';
import type { Io } from './io.ts';

export interface Found extends RedisAddress {
  /** Of the keys. */
  prefix: string;
  /** Set for the embedded store: what a person is told of it. */
  embedded?: string;
}

export function stateFile(flags: Record<string, unknown>, io: Io): string {
  return read('stateFile', flags, io.env) ?? defaultStateFile(io.env);
}

/**
 * Flag, then variable, then the state file of the embedded store; never a silent localhost:6379.
 * @throws WssessError `no_store`, `store_gone` for a stale state file, `usage`
 */
export function findStore(flags: Record<string, unknown>, io: Io): Found {
  const prefix = read('prefix', flags, io.env);
  const named = redisAddress(flags, io.env);
  if (named) return { ...named, prefix };
  const file = stateFile(flags, io);
  const state = readState(file);
  if (!state) throw new WssessError('no_store', 'no Redis is named, and no embedded store runs here');
  if (!isAlive(state)) {
    throw new WssessError('store_gone', `the embedded store of process ${state.pid} is gone, ${file} is stale`);
  }
  return {
    url: `redis://:${state.password}@127.0.0.1:${state.port}`,
    source: file,
    // The one that serve was given, unless another is asked for.
    prefix: resolve('prefix', flags, io.env).source === 'default' ? state.prefix : prefix,
    embedded: `embedded store of process ${state.pid} on 127.0.0.1:${state.port}`,
  };
}
