/** https://redis.io/docs/latest/commands/?group=pubsub but sharded channels */
import { matches } from '../protocol/glob.ts';
import { type Reply, Several } from '../protocol/reply.ts';
import { container, type Handler, type Rows } from './command.ts';

type Kind = 'channels' | 'patterns';

const subscribe =
  (word: string, kind: Kind): Handler =>
  (names, { client, engine }) =>
    new Several(
      names.map((name) => {
        engine.pubsub.add(kind, name, client);
        return [word, name, client.subscriptions];
      }),
    );

/** Without names: from all, and one answer even when there is none. */
const unsubscribe =
  (word: string, kind: Kind): Handler =>
  (names, { client, engine }) => {
    const left = names.length > 0 ? names : [...client[kind]];
    if (left.length === 0) return [word, null, client.subscriptions];
    return new Several(
      left.map((name) => {
        engine.pubsub.remove(kind, name, client);
        return [word, name, client.subscriptions];
      }),
    );
  };

const numSub: Handler = (names, { engine }) =>
  names.flatMap((name): Reply[] => [name, engine.pubsub.channels.get(name)?.size ?? 0]);

export const pubsub: Rows = {
  subscribe: [-2, 'noscript pubsub names', subscribe('subscribe', 'channels')],
  unsubscribe: [-1, 'noscript pubsub', unsubscribe('unsubscribe', 'channels')],
  psubscribe: [-2, 'noscript pubsub names', subscribe('psubscribe', 'patterns')],
  punsubscribe: [-1, 'noscript pubsub', unsubscribe('punsubscribe', 'patterns')],
  publish: [3, '', ([channel, message], { engine }) => engine.pubsub.publish(channel!, message!)],
  pubsub: container,
  'pubsub|channels': [
    -2,
    '',
    ([pattern], { engine }) => [...engine.pubsub.channels.keys()].filter((name) => matches(pattern ?? '*', name)),
  ],
  'pubsub|numsub': [-2, '', numSub],
  'pubsub|numpat': [2, '', (_, { engine }) => engine.pubsub.patterns.size],
};
