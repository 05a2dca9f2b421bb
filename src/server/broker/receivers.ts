/** Who gets a message, of those on this node. Pure. */
import type { Addressees } from './addressees.ts';
import type { Shared } from './other-nodes.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';

/** Those of ack mode auto, and those that acknowledge. */
export interface Receivers<Client> {
  auto: Iterable<Subscription<Client>>;
  acking: Iterable<Subscription<Client>>;
}

export function receiversOf<Client extends { readonly id: string; readonly user: string }>(
  target: Shared,
  subscriptions: Subscriptions<Client>,
  addressees: Addressees<Client>,
): Receivers<Client> {
  const { name } = target;
  if (target.kind !== 'user' && target.kind !== 'session') {
    return { auto: subscriptions.of(name, 'auto'), acking: subscriptions.of(name, 'acking') };
  }
  const clients = target.kind === 'user' ? addressees.ofUser(target.user) : addressees.ofSession(target.session);
  const theirs = clients.flatMap((client) => subscriptions.ofSubscriber(client));
  const meant = theirs.filter(({ destination }) => destination === name);
  return { auto: meant.filter(({ ack }) => ack === 'auto'), acking: meant.filter(({ ack }) => ack !== 'auto') };
}
