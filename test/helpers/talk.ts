/** A client that speaks STOMP by hand: every frame that came can be looked at, as it was on the wire. */
import { type Bare, connectBare, frame } from './clients.ts';
import { until } from './wait.ts';

/** A frame of the server; names and values are as on the wire, escapes and all. */
export interface Got {
  command: string;
  headers: [string, string][];
  /** The first of this name. */
  header(name: string): string | undefined;
  body: Buffer;
  /** The WebSocket message that ended it was binary. */
  binary: boolean;
}

export interface Talk extends Bare {
  /** What CONNECTED said; '' before. */
  session: string;
  /** Whole frames so far, heart-beats left out. */
  frames(command?: string): Got[];
  /** WebSocket messages that were a lone newline. */
  beats(): number;
  /** Waits for the nth frame of this command. */
  wait(command: string, nth?: number, patience?: number): Promise<Got>;
  /** Sends a frame. */
  say(command: string, headers?: Record<string, string | number>, body?: string): void;
  /** Sends a frame that asks for a receipt, and waits for it. */
  sure(command: string, headers?: Record<string, string | number>, body?: string): Promise<void>;
}

/** Opens a socket; CONNECT is the caller's. */
export async function open(url: string, protocols: string[] = [], headers: Record<string, string> = {}): Promise<Talk> {
  const bare = await connectBare(url, protocols, headers);
  const kinds: boolean[] = [];
  bare.socket.on('message', (_, binary) => kinds.push(binary));
  let receipts = 0;
  const frames = (command?: string) =>
    read(bare.messages, kinds).filter((got) => command === undefined || got.command === command);
  const talk: Talk = {
    ...bare,
    session: '',
    frames,
    beats: () => bare.messages.filter((message) => message.toString() === '\n').length,
    async wait(command, nth = 1, patience = 10_000) {
      const arrived = () => frames(command)[nth - 1];
      const what = `${command} ${nth}; came: ${bare.received().slice(-500)}`;
      return (await until(arrived, patience, what))!;
    },
    say: (command, headers, body) => bare.send(frame(command, headers, body)),
    async sure(command, headers = {}, body = '') {
      const receipt = `sure-${++receipts}`;
      talk.say(command, { ...headers, receipt }, body);
      await until(
        () => frames('RECEIPT').some((got) => got.header('receipt-id') === receipt),
        10_000,
        `the receipt of ${command}; came: ${bare.received().slice(-500)}`,
      );
    },
  };
  return talk;
}

/** Opens a socket and connects; 1.2 unless another version is wanted. */
export async function talk(url: string, user: string, headers: Record<string, string> = {}): Promise<Talk> {
  const client = await open(url);
  client.say('CONNECT', { 'accept-version': '1.2', host: 'localhost', userId: user, ...headers });
  client.session = (await client.wait('CONNECTED')).header('session') ?? '';
  return client;
}

function read(messages: readonly Buffer[], kinds: readonly boolean[]): Got[] {
  const found: Got[] = [];
  let left = Buffer.alloc(0);
  messages.forEach((message, i) => {
    left = Buffer.concat([left, message]);
    for (;;) {
      while (left[0] === 10) left = left.subarray(1);
      const blank = left.indexOf('\n\n');
      if (blank === -1) return;
      const [command = '', ...lines] = left.toString('utf8', 0, blank).split('\n');
      const headers = lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1)];
      });
      const header = (name: string) => headers.find((one) => one[0] === name)?.[1];
      const length = header('content-length');
      const end = length === undefined ? left.indexOf(0, blank + 2) : blank + 2 + Number(length);
      if (end === -1 || end >= left.length) return;
      if (left[end] !== 0) throw new Error(`no NUL behind the body: ${left.toString('utf8', 0, end + 10)}`);
      found.push({ command, headers, header, body: left.subarray(blank + 2, end), binary: kinds[i] ?? false });
      left = left.subarray(end + 1);
    }
  });
  return found;
}
