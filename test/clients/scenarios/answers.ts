/** What is answered: receipts, ACK and NACK with what they lead to, transactions, ERROR. */
import { until, within } from '../../helpers/wait.ts';
import { hearsTheRest, listen, ready, type Scenario, same } from './scenario.ts';

export const ANSWERS: Scenario[] = [
  {
    name: 'receipts come for each frame that asks, in a transaction too',
    async run({ connect, queue }) {
      const [client, q] = [await connect(), queue()];
      const asked = ['sub', 'send', 'ack', 'in a transaction'];
      const receipts = asked.map((id) => client.receipt(id));
      const { heard } = listen(client, q, { receipt: 'sub', ack: 'client' });
      client.send(q, { receipt: 'send' }, 'body');
      await until(() => heard.length === 1);
      same(heard[0]!.headers.receipt, undefined);
      heard[0]!.ack({ receipt: 'ack' });
      const transaction = client.begin();
      client.send(q, { receipt: 'in a transaction', transaction: transaction.id }, 'body');
      await within(Promise.all(receipts));
      transaction.abort();
    },
  },
  {
    name: 'acknowledges one by one: what it did not goes to another',
    async run({ connect, queue }) {
      const [q, client, other] = [queue(), await connect(), await connect()];
      const one = listen(client, q, { ack: 'client-individual' });
      for (const body of ['1', '2', '3']) client.send(q, {}, body);
      await until(() => one.heard.length === 3);
      one.heard[0]!.ack();
      one.heard[2]!.ack();
      one.unsubscribe();
      await hearsTheRest(other, q, ['2']);
    },
  },
  {
    name: 'acknowledges all up to one',
    notIn10: true,
    async run({ connect, queue }) {
      const [q, client, other] = [queue(), await connect(), await connect()];
      const one = listen(client, q, { ack: 'client' });
      for (const body of ['1', '2', '3']) client.send(q, {}, body);
      await until(() => one.heard.length === 3);
      one.heard[1]!.ack();
      one.unsubscribe();
      await hearsTheRest(other, q, ['3']);
    },
  },
  {
    name: 'what it acknowledged does not come again when it leaves',
    async run({ connect, queue }) {
      const [q, client, other] = [queue(), await connect(), await connect()];
      const one = listen(client, q, { ack: 'client' });
      client.send(q, {}, 'done');
      await until(() => one.heard.length === 1);
      one.heard[0]!.ack();
      await client.disconnect();
      await hearsTheRest(other, q, []);
    },
  },
  {
    name: 'what it left without ACK goes to another, whether it says DISCONNECT or its socket is lost',
    async run({ connect, queue }) {
      for (const way of ['disconnect', 'drop'] as const) {
        const [q, client, other] = [queue(), await connect(), await connect()];
        const one = listen(client, q, { ack: 'client' });
        client.send(q, {}, 'job');
        await until(() => one.heard.length === 1);
        const two = listen(other, q, { ack: 'client' });
        await ready(other);
        await client[way]();
        await until(() => two.heard.length === 1, 10_000, `the job after ${way}`);
        two.heard[0]!.ack();
        two.unsubscribe();
        await hearsTheRest(other, q, []);
      }
    },
  },
  {
    name: 'refuses: the message goes to the other, and back',
    notIn10: true,
    async run({ connect, queue }) {
      const [q, client, other] = [queue(), await connect(), await connect()];
      const [one, two] = [listen(client, q, { ack: 'client' }), listen(other, q, { ack: 'client' })];
      await ready(client);
      await ready(other);
      client.send(q, {}, 'again');
      await until(() => one.heard.length + two.heard.length === 1);
      const [first, second] = one.heard.length === 1 ? [one, two] : [two, one];
      first.heard[0]!.nack();
      await until(() => second.heard.length === 1);
      second.heard[0]!.nack();
      await until(() => first.heard.length === 2);
      first.heard[1]!.ack();
      one.unsubscribe();
      two.unsubscribe();
      await ready(client);
      await hearsTheRest(other, q, []);
      same([...first.bodies(), ...second.bodies()], ['again', 'again', 'again']);
    },
  },
  {
    name: 'refuses when it is alone: the message comes again',
    notIn10: true,
    async run({ connect, queue }) {
      const [q, client] = [queue(), await connect()];
      const one = listen(client, q, { ack: 'client-individual' });
      client.send(q, {}, 'again');
      await until(() => one.heard.length === 1);
      one.heard[0]!.nack();
      await until(() => one.heard.length === 2);
      one.heard[1]!.ack();
      same(one.bodies(), ['again', 'again']);
    },
  },
  {
    name: 'commits what it sent and acknowledged, aborts it, and sends beside it',
    async run({ connect, topic, queue }) {
      const [client, t, q] = [await connect(), topic(), queue()];
      const [all, one] = [listen(client, t), listen(client, q, { ack: 'client' })];
      client.send(q, {}, 'job');
      await until(() => one.heard.length === 1);
      const aborted = client.begin();
      client.send(t, { transaction: aborted.id }, 'never');
      client.send(t, {}, 'beside');
      one.heard[0]!.ack({ transaction: aborted.id });
      aborted.abort();
      const committed = client.begin();
      client.send(t, { transaction: committed.id }, '1');
      client.send(t, { transaction: committed.id }, '2');
      client.send(t, {}, 'before');
      one.heard[0]!.ack({ transaction: committed.id });
      committed.commit();
      await until(() => all.heard.length === 4);
      same(all.bodies(), ['beside', 'before', '1', '2']);
      same(all.heard[2]!.headers.transaction, undefined);
      one.unsubscribe();
      await hearsTheRest(client, q, []);
    },
  },
  {
    name: 'is told why it is thrown out: ERROR with its receipt, then the close',
    refused: true,
    async run({ connect }) {
      const client = await connect();
      client.send('/nowhere', { receipt: 'asked' }, '');
      same(await within(client.closed), 1008);
      const { headers, body } = client.errors[0]!;
      same([client.errors.length, headers.cause, headers['receipt-id']], [1, 'protocol_error', 'asked']);
      if (!headers.message || body === '') throw new Error('an ERROR without words');
    },
  },
];
