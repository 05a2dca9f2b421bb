/**
 * One client that sends hostile frames, on one connection after the other, and judges what each came to: its receipts,
 * an ERROR and the close, or an unfinished frame. What is unfinished is shown by finishing it: a second reader
 * (reference.ts) says what is missing, and the frame behind it must be answered.
 */
import { isUtf8 } from 'node:buffer';
import { type Context, connectFrame, frames } from './frames.ts';
import { type Message, mutate, pack } from './mutate.ts';
import { Random } from './random.ts';
import { type Limits, mostHeld, type Reading, read, unescaped, type Version } from './reference.ts';
import { type Told, Wire } from './wire.ts';

/** Milliseconds that an answer may take on a machine that is busy with other tests. */
const PATIENCE = 20_000;
/** Frames on one connection at most, so that what they leave there doesn't pile up. */
const LIFE = 40;
/** Codes with which a hostile client may be closed; 1011 would be a fault of the server's. */
const CODES = [1002, 1007, 1008, 1009];

const CONNECTING = ['CONNECT', 'STOMP'];

/** What a frame came to. */
export type Verdict = 'receipt' | 'error' | 'disconnect';

export interface Outcome {
  verdict: Verdict;
  /** The frame was unfinished at first. */
  unfinished: boolean;
}

export class Lane {
  readonly #url: string;
  readonly #name: string;
  readonly #limits: Limits;
  #wire: Wire | undefined;
  #context: Context;
  #told: Told[] = [];
  #age = 0;
  #probes = 0;

  constructor(url: string, name: string, limits: Limits) {
    this.#url = url;
    this.#name = name;
    this.#limits = limits;
    this.#context = { version: '1.0', name, unacked: [] };
  }

  /** Sends what this seed makes, and judges the answer. @throws Error with all that is needed to repeat it */
  async run(seed: number): Promise<Outcome> {
    const random = new Random(seed);
    let messages: Message[] = [];
    try {
      if (random.chance(0.1) || this.#age++ > LIFE) this.close();
      const fresh = !this.#wire;
      if (fresh) await this.#open();
      const connecting = fresh && random.chance(0.5);
      if (fresh && !connecting) await this.#connect(random);
      this.#told = [];
      const drafts = connecting ? [connectFrame(random, this.#name)] : frames(random, this.#context);
      messages = pack(random, mutate(random, drafts, this.#context.version));
      const outcome = await this.#judge(messages, connecting);
      if (outcome.verdict !== 'receipt') this.#wire = undefined;
      return outcome;
    } catch (error) {
      const sent = messages.map(({ fragments, binary }) => ({
        binary,
        fragments: fragments.map((f) => f.toString('latin1')),
      }));
      const told = this.#told.map(({ command, header }) => [command, header('receipt-id'), header('message')]);
      const more = JSON.stringify({ version: this.#context.version, sent, told, code: this.#wire?.code });
      throw new Error(`case ${seed}: ${(error as Error).message}; ${more}`);
    }
  }

  /** Goes without a word. */
  close(): void {
    this.#wire?.destroy();
    this.#wire = undefined;
  }

  async #open(): Promise<void> {
    this.#context = { version: '1.0', name: this.#name, unacked: [] };
    this.#age = 0;
    const wire = new Wire(this.#url, (told) => this.#hear(told));
    this.#wire = wire;
    await wire.until(() => wire.open || wire.code !== undefined, PATIENCE, 'a new connection');
    if (!wire.open) throw new Error('a new connection is not served');
  }

  async #connect(random: Random): Promise<void> {
    const wire = this.#wire!;
    this.#told = [];
    const version = random.pick<Version>(['1.0', '1.1', '1.2']);
    const role = random.pick(['ADMIN', 'USER']);
    wire.text(`CONNECT\naccept-version:${version}\nheart-beat:0,0\nuserId:${this.#name}\nuserRole:${role}\n\n\0`);
    await wire.until(() => this.#told.length > 0 || wire.code !== undefined, PATIENCE, 'CONNECTED');
    if (this.#told[0]?.command !== 'CONNECTED') throw new Error('a good CONNECT is refused');
    this.#context.version = version;
  }

  #hear(told: Told): void {
    if (told.command !== 'MESSAGE') this.#told.push(told);
    else {
      const { unacked } = this.#context;
      const [messageId, subscription] = [told.header('message-id') ?? '', told.header('subscription') ?? ''];
      unacked.push({ ack: told.header('ack'), messageId, subscription });
      if (unacked.length > 5) unacked.shift();
    }
  }

  async #judge(messages: Message[], connecting: boolean): Promise<Outcome> {
    const wire = this.#wire!;
    const { version } = this.#context;
    for (const message of messages) wire.send(message);
    let bytes = Buffer.concat(messages.flatMap(({ fragments }) => fragments));
    let reading = read(bytes, version, this.#limits);
    const noText = messages.some(({ fragments, binary }) => !binary && !isUtf8(Buffer.concat(fragments)));
    const unfinished = !reading.fault && reading.next !== '' && !noText;
    if (unfinished) {
      if (reading.held > mostHeld(this.#limits)) throw new Error(`${reading.held} octets are held`);
      await wire.read(PATIENCE);
      while (!reading.fault && reading.next !== '') {
        bytes = Buffer.concat([bytes, Buffer.from(reading.next)]);
        wire.send({ fragments: [Buffer.from(reading.next)], binary: true });
        reading = read(bytes, version, this.#limits);
      }
    }
    const leaves = reading.frames.some(({ command }) => command === 'DISCONNECT');
    const again = reading.frames.some(({ command }, i) => CONNECTING.includes(command) && !(connecting && i === 0));
    if (reading.fault || noText || leaves || again) {
      await wire.until(() => wire.code !== undefined, PATIENCE, 'the close');
      return { verdict: this.#ended(reading, leaves), unfinished };
    }
    const probe = `probe-${++this.#probes}`;
    const probed = () => {
      const last = this.#told.at(-1);
      return last?.command === 'RECEIPT' && last.header('receipt-id') === probe;
    };
    wire.text(`SEND\ndestination:/topic/probe-${this.#name}\nreceipt:${probe}\n\n\0`);
    await wire.until(() => probed() || wire.code !== undefined, PATIENCE, 'the receipt of what comes after');
    if (wire.code !== undefined) return { verdict: this.#ended(reading, false), unfinished };
    this.#told.pop();
    this.#context.version = reading.version;
    this.#checkReceipts(reading, true);
    return { verdict: 'receipt', unfinished };
  }

  /** The connection was closed: by DISCONNECT, or behind an ERROR that was the last word. */
  #ended(reading: Reading, leaves: boolean): Verdict {
    const errors = this.#told.filter(({ command }) => command === 'ERROR');
    const { code } = this.#wire!;
    if (leaves && errors.length === 0) {
      if (code !== 1000) throw new Error('DISCONNECT is not closed with 1000');
      this.#checkReceipts(reading, true);
      return 'disconnect';
    }
    if (errors.length !== 1 || this.#told.at(-1) !== errors[0]) throw new Error('not one ERROR, at the end');
    if (!CODES.includes(code!)) throw new Error('a close code that is not for the client');
    this.#told.pop();
    this.#checkReceipts(reading, false);
    return 'error';
  }

  /** Receipts come in the order of their frames: all of them, or, before an ERROR, the first. */
  #checkReceipts(reading: Reading, all: boolean): void {
    const { frames } = reading;
    const { version } = CONNECTING.includes(frames[0]?.command ?? '') ? reading : this.#context;
    const wanted: string[] = [];
    for (const { command, headers } of frames) {
      const receipt = headers.find(([name]) => name === 'receipt')?.[1];
      const asks = receipt !== undefined && !CONNECTING.includes(command);
      if (asks) wanted.push(version === '1.0' ? receipt.replace(/^ +/, '') : receipt);
      if (command === 'DISCONNECT') break; // what comes behind it is not looked at
    }
    const got = this.#told.filter(({ command }) => command !== 'CONNECTED');
    if (got.some(({ command }) => command !== 'RECEIPT')) throw new Error('a frame that nobody asked for');
    if (all ? got.length !== wanted.length : got.length > wanted.length) throw new Error(`receipts: ${wanted}`);
    got.forEach(({ header }, i) => {
      const id = header('receipt-id');
      // A value that ends in CR can't be given to 1.0 and 1.1.
      const same = id === undefined ? wanted[i]!.endsWith('\r') : unescaped(id, version) === wanted[i];
      if (!same) throw new Error(`receipt ${i} is not ${JSON.stringify(wanted[i])}`);
    });
  }
}
