/**
 * One publisher to 1,000 subscribers, wssess beside a bare `ws` server that does the least and stomp-broker-js, in one
 * run: `npm run bench:fanout`. Every subscriber checks that it gets every message, in order. The publisher has 16
 * messages, or one, on their way at a time. Servers, publisher and subscribers share the machine: read the ratios.
 * FANOUT_ROUNDS and FANOUT_SECONDS make it shorter or longer.
 */
import { readFileSync } from 'node:fs';
import { type Subject, startBare, startBroker, startWssess } from './fanout/servers.ts';
import { bodyOf, Client, numberIn } from './fanout/subscriber.ts';

const SUBSCRIBERS = 1000;
const ROUNDS = Number(process.env.FANOUT_ROUNDS ?? 5);
const SECONDS = Number(process.env.FANOUT_SECONDS ?? 3);
const WARM_UP = 0.5;
/** A wait without a message that is too long for any of them. */
const PATIENCE = 20_000;
/** What Linux counts CPU time in, a second. */
const TICKS = 100;

interface Measured {
  /** Deliveries a second. */
  rate: number;
  /** Microseconds of the server's CPU a delivery. */
  cpu: number;
}

const results = new Map<string, Measured[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const start of [startBare, startBroker, startWssess]) {
    const subject = await start();
    try {
      for (const window of [16, 1]) {
        for (const ids of subject.stomp ? ['same', 'different'] : ['same']) {
          const key = `${window} ${ids} ${subject.name}`;
          const measured = await measure(subject, window, ids === 'same');
          results.set(key, [...(results.get(key) ?? []), measured]);
        }
      }
    } finally {
      subject.stop();
    }
  }
}
report();

async function measure(subject: Subject, window: number, sameIds: boolean): Promise<Measured> {
  const clients = await connectAll(subject, sameIds);
  const publisher = subject.stomp ? await connect(subject, 'publisher') : clients[0]!;
  try {
    return await publish(subject, publisher, clients, window);
  } finally {
    for (const client of new Set([publisher, ...clients])) client.close();
  }
}

async function connectAll(subject: Subject, sameIds: boolean): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < SUBSCRIBERS) {
    const some = Array.from({ length: 50 }, (_, i) => connect(subject, `user${clients.length + i}`));
    clients.push(...(await Promise.all(some)));
  }
  if (subject.stomp) {
    await Promise.all(
      clients.map(async (client, i) => {
        const id = sameIds ? 'sub-0' : `sub-${i}`;
        const subscribe = `SUBSCRIBE\nid:${id}\ndestination:/topic/bench\nreceipt:in\n\n\0`;
        if (!subject.receipts) return client.send(subscribe);
        const answer = await client.ask(subscribe);
        if (!answer.startsWith('RECEIPT')) throw new Error(`${subject.name}: ${answer}`);
      }),
    );
    // A subscription that isn't there yet would be told by the first message's number.
    if (!subject.receipts) await new Promise((wake) => setTimeout(wake, 1000));
  }
  return clients;
}

async function connect(subject: Subject, user: string): Promise<Client> {
  const client = new Client(subject.port);
  await client.open();
  if (subject.stomp) {
    const head = `CONNECT\naccept-version:1.1,1.2\nhost:bench\nheart-beat:0,0\nuserId:${user}\n`;
    const answer = await client.ask(`${head}\n\0`);
    if (!answer.startsWith('CONNECTED')) throw new Error(`${subject.name}: ${answer}`);
  }
  return client;
}

/** Keeps `window` messages on their way for a while. */
function publish(subject: Subject, publisher: Client, clients: Client[], window: number): Promise<Measured> {
  return new Promise((resolve, reject) => {
    let [sent, done, stopping] = [0, 0, false];
    let [from, cpuFrom, doneFrom] = [0, 0, 0];
    /** Per message of the window: how many have it. */
    const have = new Array<number>(window).fill(0);
    const fail = (what: string) => reject(new Error(`${subject.name}: ${what}`));
    const stuck = setTimeout(() => fail(`stuck at message ${done} of ${sent}`), PATIENCE + SECONDS * 1000);
    const send = () => {
      while (!stopping && sent - done < window) {
        publisher.send(`SEND\ndestination:/topic/bench\ncontent-type:text/plain\n\n${bodyOf(sent++)}\0`);
      }
    };
    for (const client of clients) {
      let expected = 0;
      client.onGone = () => fail('a subscriber was cut');
      client.onMessage = (bytes, start, end) => {
        const number = numberIn(bytes, start, end);
        if (number !== expected) fail(`message ${number} came for ${expected}`);
        expected++;
        if (++have[number % window]! < clients.length) return;
        have[number % window] = 0;
        done++;
        if (stopping && done === sent) finish();
        else send();
      };
    }
    const finish = () => {
      clearTimeout(stuck);
      const deliveries = (done - doneFrom) * clients.length;
      resolve({
        rate: (deliveries / (performance.now() - from)) * 1000,
        cpu: ((cpuOf(subject.pid) - cpuFrom) / deliveries) * 1e6,
      });
    };
    setTimeout(() => {
      [from, cpuFrom, doneFrom] = [performance.now(), cpuOf(subject.pid), done];
      setTimeout(() => (stopping = true), SECONDS * 1000);
    }, WARM_UP * 1000);
    send();
  });
}

/** Seconds of CPU that a process has used, as Linux counts them. */
function cpuOf(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / TICKS;
}

function report(): void {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const of = (key: string, what: keyof Measured) => median((results.get(key) ?? []).map((one) => one[what]));
  console.log('| in flight | ids | server | deliveries a second | beside bare ws | server CPU a delivery |');
  console.log('|---|---|---|---|---|---|');
  for (const key of [...results.keys()].sort((a, b) => Number(b.split(' ')[0]) - Number(a.split(' ')[0]))) {
    const [window, ids, ...name] = key.split(' ');
    const rate = of(key, 'rate');
    const ratio = rate / of(`${window} same bare ws`, 'rate');
    const cells = [window, ids, name.join(' '), Math.round(rate).toLocaleString('en'), ratio.toFixed(2)];
    console.log(`| ${cells.join(' | ')} | ${of(key, 'cpu').toFixed(2)} µs |`);
  }
  console.log(`\nMedians of ${ROUNDS} rounds of ${SECONDS} s, ${SUBSCRIBERS} subscribers, Node ${process.version}`);
}
