/** Who can be sent to by user or session id, on this node. */

interface Addressee {
  readonly id: string;
  readonly user: string;
}

export class Addressees<Client extends Addressee> {
  readonly #bySession = new Map<string, Client>();
  readonly #byUser = new Map<string, Set<Client>>();

  add(client: Client): void {
    this.#bySession.set(client.id, client);
    this.#byUser.set(client.user, (this.#byUser.get(client.user) ?? new Set()).add(client));
  }

  remove(client: Client): void {
    this.#bySession.delete(client.id);
    const others = this.#byUser.get(client.user);
    others?.delete(client);
    if (others?.size === 0) this.#byUser.delete(client.user);
  }

  ofUser(user: string): readonly Client[] {
    return [...(this.#byUser.get(user) ?? [])];
  }

  ofSession(session: string): readonly Client[] {
    const client = this.#bySession.get(session);
    return client ? [client] : [];
  }
}
