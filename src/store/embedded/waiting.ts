/** Clients that wait in BLPOP, each key's in the order in which they came. */
import { LONGEST_TIMER } from '../../common/time.ts';
import { type Client, sizeOfNames } from './client.ts';
import type { Keyspace } from './data/keyspace.ts';
import { List } from './data/list.ts';
import { NIL_LIST } from './protocol/reply.ts';

export class Waiting {
  readonly #clients = new Map<string, Set<Client>>();
  /** Keys that somebody waits for, and that have changed. */
  readonly #ready = new Set<string>();

  /** @param timeout milliseconds, 0 for ever */
  wait(client: Client, keys: readonly string[], timeout: number): void {
    // Redis looks at its clock in whole milliseconds, rounded up.
    const after = Math.min(Math.ceil(timeout), LONGEST_TIMER);
    const timer = timeout > 0 ? setTimeout(() => this.#end(client, () => client.send(NIL_LIST)), after) : undefined;
    for (const key of keys) {
      const waiters = this.#clients.get(key) ?? new Set();
      this.#clients.set(key, waiters.add(client));
    }
    const bytes = sizeOfNames(keys);
    client.hold(bytes);
    client.stopWaiting = () => {
      client.hold(-bytes);
      clearTimeout(timer);
      for (const key of keys) {
        const waiters = this.#clients.get(key);
        waiters?.delete(client);
        if (waiters?.size === 0) this.#clients.delete(key);
      }
      client.stopWaiting = undefined;
    };
  }

  changed(key: string): void {
    if (this.#clients.has(key)) this.#ready.add(key);
  }

  /** Hands elements out, to be called when a command, a script or a transaction is over. */
  serve(db: Keyspace): void {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      for (const client of this.#clients.get(key) ?? []) {
        const list = db.get(key);
        if (!(list instanceof List)) break;
        const value = list.pop('left')!;
        db.changed(key);
        this.#end(client, () => client.send([key, value]));
      }
    }
  }

  #end(client: Client, answer: () => void): void {
    client.stopWaiting?.();
    answer();
    client.wire.resume();
  }
}
