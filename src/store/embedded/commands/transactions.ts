/** https://redis.io/docs/latest/develop/interact/transactions/ */
import type { Client } from '../client.ts';
import type { Engine } from '../engine.ts';
import { Encoded, Encoder, Fault, NIL_LIST, OK } from '../protocol/reply.ts';
import type { Handler, Rows } from './command.ts';

function end(client: Client, engine: Engine): void {
  client.endTransaction();
  engine.watching.unwatch(client);
}

const multi: Handler = (_, { client }) => {
  if (client.transaction) throw new Fault('ERR MULTI calls can not be nested');
  client.transaction = { queue: [], broken: false, bytes: 0 };
  return OK;
};

const exec: Handler = (_, context) => {
  const { db, client, engine } = context;
  const { transaction } = client;
  if (!transaction) throw new Fault('ERR EXEC without MULTI');
  for (const key of client.watched) db.has(key); // one that has expired is a change
  const { dirty } = client;
  end(client, engine);
  if (transaction.broken) throw new Fault('EXECABORT Transaction discarded because of previous errors.');
  if (dirty) return NIL_LIST;
  // Made while they run: the lists of a thousand SMEMBERS would take more than the store.
  const replies = new Encoder(engine.limits.perClient).begin(transaction.queue.length);
  for (const request of transaction.queue) {
    if (replies.full && request.command.flags.has('readonly')) continue; // nobody will hear what it finds
    replies.add(engine.call(request, { ...context, atomic: true }) ?? null);
  }
  return new Encoded(replies.text);
};

const discard: Handler = (_, { client, engine }) => {
  if (!client.transaction) throw new Fault('ERR DISCARD without MULTI');
  end(client, engine);
  return OK;
};

const watch: Handler = (keys, { db, client, engine }) => {
  if (client.transaction) throw new Fault('ERR WATCH inside MULTI is not allowed');
  for (const key of keys) {
    db.has(key); // what has expired before isn't a change later
    engine.watching.watch(client, key);
  }
  return OK;
};

const unwatch: Handler = (_, { client, engine }) => {
  engine.watching.unwatch(client);
  return OK;
};

export const transactions: Rows = {
  multi: [1, 'noscript immediate', multi],
  exec: [1, 'noscript immediate', exec],
  discard: [1, 'noscript immediate', discard],
  watch: [-2, 'noscript immediate names', watch],
  unwatch: [1, 'noscript', unwatch],
};
