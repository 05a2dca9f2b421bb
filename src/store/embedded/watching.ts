/** WATCH: clients whose transaction must not run once a key that they watch has changed. */
import { type Client, sizeOfNames } from './client.ts';

export class Watching {
  readonly #clients = new Map<string, Set<Client>>();

  watch(client: Client, key: string): void {
    if (client.watched.has(key)) return;
    client.watched.add(key);
    client.hold(sizeOfNames([key]));
    this.#clients.set(key, (this.#clients.get(key) ?? new Set()).add(client));
  }

  unwatch(client: Client): void {
    for (const key of client.watched) {
      const clients = this.#clients.get(key);
      clients?.delete(client);
      if (clients?.size === 0) this.#clients.delete(key);
      client.hold(-sizeOfNames([key]));
    }
    client.watched.clear();
    client.dirty = false;
  }

  changed(key: string): void {
    for (const client of this.#clients.get(key) ?? []) client.dirty = true;
  }
}
