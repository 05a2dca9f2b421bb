/** Who listens to which channel or pattern. */
import { type Client, sizeOfNames } from './client.ts';
import { matches } from './protocol/glob.ts';
import { encode } from './protocol/reply.ts';

type Listeners = Map<string, Set<Client>>;

export class PubSub {
  readonly channels: Listeners = new Map();
  readonly patterns: Listeners = new Map();

  /** @returns how many were told */
  publish(channel: string, message: string): number {
    let told = 0;
    const tell = (clients: Iterable<Client>, text: string) => {
      for (const client of clients) {
        client.wire.send(text);
        told++;
      }
    };
    const listeners = this.channels.get(channel);
    if (listeners) tell(listeners, encode(['message', channel, message]));
    for (const [pattern, clients] of this.patterns) {
      if (matches(pattern, channel)) tell(clients, encode(['pmessage', pattern, channel, message]));
    }
    return told;
  }

  add(kind: 'channels' | 'patterns', name: string, client: Client): void {
    if (client[kind].has(name)) return;
    client[kind].add(name);
    client.hold(sizeOfNames([name]));
    this[kind].set(name, (this[kind].get(name) ?? new Set()).add(client));
  }

  remove(kind: 'channels' | 'patterns', name: string, client: Client): void {
    if (!client[kind].delete(name)) return;
    client.hold(-sizeOfNames([name]));
    const listeners = this[kind].get(name);
    listeners?.delete(client);
    if (listeners?.size === 0) this[kind].delete(name);
  }

  /** Forgets a client. */
  leave(client: Client): void {
    for (const name of client.channels) this.remove('channels', name, client);
    for (const name of client.patterns) this.remove('patterns', name, client);
  }
}
