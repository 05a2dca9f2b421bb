/** Valid frames of every command and version, from which hostile ones are made. */
import type { Random } from './random.ts';
import type { Version } from './reference.ts';

export interface Draft {
  command: string;
  headers: [string, string][];
  body: Buffer;
}

/** What a connection has got, so that some frames can be about it. */
export interface Context {
  version: Version;
  /** Its own, so that connections don't flood each other. */
  name: string;
  /** Messages that wait for an ACK, the last ones. */
  unacked: { ack: string | undefined; messageId: string; subscription: string }[];
}

const BODIES = ['', 'hello', 'with\nlines\r\n', '{"a":1}', 'ünïcödé 😀'].map((text) => Buffer.from(text));
const BINARY = [Buffer.from([0, 1, 2, 0, 255, 254, 10, 13]), Buffer.alloc(300, 0), Buffer.alloc(1500, 'x')];

export function connectFrame(random: Random, user: string): Draft {
  const headers: [string, string][] = [
    ['accept-version', random.pick(['1.2', '1.1', '1.0', '1.0,1.1,1.2', '1.1,1.2', ' 1.2 , 2.0'])],
    ['host', 'localhost'],
    ['userId', user],
    ['userRole', random.pick(['ADMIN', 'USER'])],
    ['heart-beat', random.pick(['0,0', '60000,60000', '0,60000'])],
  ];
  if (random.chance(0.1)) headers.shift();
  return { command: random.pick(['CONNECT', 'CONNECT', 'STOMP']), headers, body: Buffer.alloc(0) };
}

/** One to six frames that belong together. */
export function frames(random: Random, context: Context): Draft[] {
  const { name } = context;
  const id = `s${random.below(5)}`;
  const tx = `t${random.below(5)}`;
  const receipt = () => (random.chance(0.7) ? [header('receipt', `r${random.below(1000)}`)] : []);
  const frame = (command: string, ...headers: [string, string][]): Draft => ({
    command,
    headers: [...headers, ...receipt()],
    body: Buffer.alloc(0),
  });
  const send = (destination: string, ...headers: [string, string][]): Draft => {
    const body = random.pick(random.chance(0.3) ? BINARY : BODIES);
    const length = body.includes(0) || random.chance(0.5) ? [header('content-length', String(body.length))] : [];
    return { ...frame('SEND', header('destination', destination), ...length, ...headers), body };
  };
  const topic = `/topic/${name}`;
  const destination = random.pick([topic, topic, `/queue/${name}`, '/user/queue/x']);
  const kinds: (() => Draft[])[] = [
    () => [send(topic), send(topic)],
    () => [send(topic, header('content-type', 'text/plain'), header('x-app', escaped(random, context.version)))],
    () => [send(random.pick([`/queue/${name}`, `/user/${name}/queue/x`, '/session/nobody/queue/x', '/nowhere']))],
    () => [
      frame('SUBSCRIBE', header('id', id), header('destination', destination)),
      send(destination === '/user/queue/x' ? `/user/${name}/queue/x` : destination),
      frame('UNSUBSCRIBE', header('id', id)),
    ],
    () => [
      frame(
        'SUBSCRIBE',
        header('id', id),
        header('destination', destination),
        header('ack', random.pick(['client', 'client-individual', 'auto'])),
      ),
      send(destination === '/user/queue/x' ? `/user/${name}/queue/x` : destination),
    ],
    () => [
      frame('BEGIN', header('transaction', tx)),
      send(topic, header('transaction', tx)),
      ...(random.chance(0.5) ? [send(`/queue/${name}`, header('transaction', tx))] : []),
      frame(random.pick(['COMMIT', 'COMMIT', 'ABORT']), header('transaction', tx)),
    ],
    () => [frame(random.pick(['ACK', 'NACK']), ...acknowledging(random, context))],
    () => [frame('DISCONNECT')],
  ];
  return random.pick(kinds)();
}

function acknowledging(random: Random, { unacked, version }: Context): [string, string][] {
  const one = unacked.length > 0 ? random.pick(unacked) : { ack: 'a', messageId: 'm', subscription: 's' };
  if (version === '1.2') return [header('id', one.ack ?? 'a')];
  return [header('message-id', one.messageId), header('subscription', one.subscription)];
}

/** A value with all that its version may escape, as on the wire. */
function escaped(random: Random, version: Version): string {
  return random.pick(version === '1.0' ? ['plain', 'a:b', ' padded'] : ['a\\cb', '\\\\n', 'line\\nbreak', 'é']);
}

/** Bytes of a frame as its headers are, with no escape made. */
export function encode({ command, headers, body }: Draft, eol = '\n'): Buffer {
  const lines = [command, ...headers.map(([name, value]) => `${name}:${value}`), '', ''];
  return Buffer.concat([Buffer.from(lines.join(eol)), body, Buffer.alloc(1)]);
}

function header(name: string, value: string): [string, string] {
  return [name, value];
}
