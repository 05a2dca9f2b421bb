/**
 * One client: a state machine between a transport and the rest of the server. Frames are handled one after the other;
 * while one is being worked on, the transport is not read.
 */
import { WssessError } from '../../common/errors.ts';
import type { Cause } from '../../sessions/model.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { type Frame, Headers, ownHeader, type Version } from '../stomp/frame.ts';
import { type Limits, Parser, ProtocolError } from '../stomp/parser.ts';
import { serialize } from '../stomp/serializer.ts';
import type { Message, Transport } from '../transport/transport.ts';
import type { BackPressure } from './back-pressure.ts';
import { HANDLERS, type Services } from './handlers.ts';
import { HeartBeats } from './heart-beats.ts';

/** What a connection needs to be given, so that it knows no other part of the server. */
export interface Surroundings {
  limits: Limits;
  /** Bytes that may wait for a slow client. */
  maxBuffer: number;
  backPressure: BackPressure;
  /** Milliseconds for CONNECT to arrive. */
  connectTimeout: number;
  services: Services;
  /** Called once when the connection ends: forget it everywhere. Resolves when that is done, never rejects. */
  forget(connection: Connection): Promise<void>;
  /** A fault of ours that must not reach the client. */
  fault(error: unknown): void;
}

/** How a connection ends: what the client is told. */
export interface Ending {
  code: number;
  /** In words: the close reason, and the ERROR's message. */
  reason: string;
  /** Send an ERROR frame before the close, with this body and these headers beside message and cause. */
  error?: { body: string; headers?: Record<string, string | undefined> };
  /** Answer this receipt when everything is done, before the close. */
  receipt?: string | undefined;
}

/** What the client is told of a fault. */
interface Told {
  code: number;
  cause: Cause;
  message: string;
  body: string;
  headers?: Record<string, string>;
}

export class Connection {
  readonly id: string;
  readonly transport: Transport;
  readonly heartBeats: HeartBeats;
  readonly counters = { recvCount: 0, sendCount: 0, recvOctets: 0, sendOctets: 0 };
  /** When the client's last bytes came, on the monotonic clock (performance.now). */
  lastSign = performance.now();
  /** Called with each sign of the client, once it is registered. */
  onSign: () => void = () => {};
  /** `waiting` for CONNECT, `connecting` while it is registered, `open`, `closed`. */
  state: 'waiting' | 'connecting' | 'open' | 'closed' = 'waiting';
  user = '';
  role: string | null = null;
  /** Why it ended. */
  cause: Cause | null = null;

  readonly #surroundings: Surroundings;
  readonly #parser: Parser;
  readonly #connectTimer: NodeJS.Timeout;
  #chunks: Buffer[] = [];
  #frames: Generator<Frame, void, undefined> | undefined;
  #busy = false;
  #isGone = false;
  #ended: Promise<void> | undefined;

  constructor(id: string, transport: Transport, surroundings: Surroundings) {
    this.id = id;
    this.transport = transport;
    this.#surroundings = surroundings;
    this.#parser = new Parser(surroundings.limits);
    this.heartBeats = new HeartBeats({
      beat: () => this.#write(Buffer.from('\n')),
      lost: (silent) =>
        void this.end('heartbeat', {
          code: CLOSE.protocol,
          reason: `no heart-beat for ${silent} ms`,
          error: { body: 'The client agreed to send heart-beats and did not. Connect again.' },
        }),
    });
    this.#connectTimer = setTimeout(() => {
      this.#refuse(new Refusal('no CONNECT arrived in time', 'Send CONNECT right after the socket is open.'));
    }, surroundings.connectTimeout);
  }

  get version(): Version {
    return this.#parser.version;
  }

  /** Agreed in CONNECT; governs how the next frames are read and written. */
  set version(version: Version) {
    this.#parser.version = version;
  }

  /** Bytes from the transport. */
  receive(bytes: Buffer): void {
    if (this.state === 'closed') return;
    this.lastSign = performance.now();
    this.counters.recvOctets += bytes.length;
    this.heartBeats.received(this.lastSign);
    this.onSign();
    this.#chunks.push(bytes);
    if (!this.#busy) this.#handleFrames();
  }

  /** The client broke the rules of the transport. */
  fault(code: number): void {
    const isTooBig = code === CLOSE.tooBig;
    const message = isTooBig ? 'The WebSocket message is larger than this server takes' : 'This is not WebSocket';
    this.#refuse(new Refusal(message, '', code));
  }

  /** The socket is gone. What was received before is still acted on (1.2 "RECEIPT"). */
  gone(): void {
    this.#isGone = true;
    if (!this.#busy) this.#handleFrames();
  }

  /** CONNECT was understood; from here the registry's own time-outs count. */
  connecting(): void {
    this.state = 'connecting';
    clearTimeout(this.#connectTimer);
  }

  /** CONNECT was answered. */
  opened(): void {
    this.state = 'open';
  }

  /** Sends a frame of the server's own. */
  sendFrame(command: string, headers: Record<string, string | number | undefined>, body: Buffer | string = ''): void {
    this.send(serialize(command, Headers.of(headers), body, this.version));
  }

  /** Sends an encoded frame; a client that doesn't read is cut. */
  send(frame: Buffer | Message): void {
    if (this.state === 'closed') return;
    this.counters.sendCount++;
    this.#write(frame);
    const { transport } = this;
    const { backPressure, maxBuffer } = this.#surroundings;
    if (transport.buffered <= backPressure.mark) return;
    transport.flush(); // what only waits for the end of the turn says nothing about the client
    if (transport.buffered > maxBuffer) {
      // What is queued would never reach it, an ERROR neither.
      transport.destroy();
      void this.end('slow_consumer', { code: CLOSE.policy, reason: 'slow consumer' });
    } else if (transport.buffered > backPressure.mark) backPressure.meet(transport);
  }

  /** Half of what may wait for it does: what can wait elsewhere should. */
  get clogged(): boolean {
    return this.transport.buffered > this.#surroundings.maxBuffer / 2;
  }

  /** It is behind with its acknowledgements. */
  overrun(reason: string, body: string): void {
    void this.end('slow_consumer', { code: CLOSE.policy, reason, error: { body } });
  }

  #write(bytes: Buffer | Message): void {
    this.counters.sendOctets += bytes.length;
    this.transport.send(bytes);
  }

  /**
   * Ends the session, once: later calls wait for the first. Nothing that the client sends is acted on from here.
   * @returns resolves when it is unregistered
   */
  end(cause: Cause, ending: Ending): Promise<void> {
    if (this.state === 'closed') return this.#ended ?? Promise.resolve();
    const { code, reason, error, receipt } = ending;
    if (error) {
      const headers = { message: reason, cause, 'content-type': 'text/plain', ...error.headers };
      this.sendFrame('ERROR', headers, error.body);
      // It may have been what was too much for a slow client, which is cut then.
      if (this.#ended) return this.#ended;
    }
    this.state = 'closed';
    this.cause = cause;
    this.#chunks = [];
    clearTimeout(this.#connectTimer);
    this.heartBeats.stop();
    if (receipt === undefined) {
      this.transport.close(code, reason);
      this.#ended = this.#surroundings.forget(this);
    } else {
      this.#ended = this.#surroundings.forget(this).then(() => {
        this.#write(serialize('RECEIPT', Headers.of({ 'receipt-id': receipt }), '', this.version));
        this.transport.close(code, reason);
      });
    }
    return this.#ended;
  }

  /** Handles frame after frame until there is none, or one takes time. */
  #handleFrames(): void {
    while (this.state !== 'closed') {
      if (!this.#frames) {
        const chunk = this.#chunks.shift();
        if (!chunk) {
          if (this.#isGone) void this.end('closed', { code: CLOSE.normal, reason: '' });
          return;
        }
        this.#frames = this.#parser.push(chunk);
      }
      let frame: Frame | undefined;
      try {
        const next = this.#frames.next();
        if (next.done) {
          this.#frames = undefined;
          continue;
        }
        frame = next.value;
        const work = this.#handle(frame);
        if (!work) continue;
        this.#wait(frame, work);
        return;
      } catch (error) {
        this.#refuse(error, frame);
      }
    }
  }

  /** Lets a frame's work finish before the next frame is looked at. */
  #wait(frame: Frame, work: Promise<void>): void {
    this.#busy = true;
    this.heartBeats.deaf = true;
    this.transport.pause();
    work
      .catch((error: unknown) => this.#refuse(error, frame))
      .finally(() => {
        this.#busy = false;
        this.heartBeats.deaf = false;
        this.transport.resume();
        this.#handleFrames();
      });
  }

  #handle(frame: Frame): Promise<void> | undefined {
    this.counters.recvCount++;
    const { command } = frame;
    const connects = command === 'CONNECT' || command === 'STOMP';
    if (this.state === 'waiting' && !connects) throw new ProtocolError(`${command} before CONNECT`);
    if (this.state !== 'waiting' && connects) throw new ProtocolError('A session is connected once only');
    const { services, backPressure } = this.#surroundings;
    const { result, room } = backPressure.watch(() => HANDLERS.get(command)?.(this, frame, services));
    const work = result || undefined;
    // CONNECT has no receipt (1.2 "RECEIPT"), and that of DISCONNECT goes between the work and the close.
    const receipt = connects || command === 'DISCONNECT' ? undefined : ownHeader(frame, 'receipt', this.version);
    const answer = () => receipt !== undefined && this.sendFrame('RECEIPT', { 'receipt-id': receipt });
    if (work) return work.then(answer).then(() => room);
    answer();
    return room;
  }

  /** ERROR, then the close (1.2 "ERROR": the server closes the connection just after). */
  #refuse(error: unknown, frame?: Frame): void {
    const receipt =
      error instanceof ProtocolError && error.receipt !== undefined
        ? error.receipt
        : frame && ownHeader(frame, 'receipt', this.version);
    const { code, cause, message, body, headers } = this.#toldOf(error);
    void this.end(cause, { code, reason: message, error: { body, headers: { 'receipt-id': receipt, ...headers } } });
  }

  #toldOf(error: unknown): Told {
    if (error instanceof ProtocolError) {
      const code = error.tooBig ? CLOSE.tooBig : CLOSE.protocol;
      return { code, cause: 'protocol_error', message: error.message, body: error.message };
    }
    if (error instanceof Refusal) {
      const body = error.detail === '' ? error.message : error.detail;
      const { code, cause, message, headers } = error;
      return { code, cause, message, body, headers };
    }
    this.#surroundings.fault(error);
    if (error instanceof WssessError && error.http !== 500) {
      // Where Redis or the keys are, and what was said, is the operator's; the client is told when to come back.
      const body = 'A part of the server is not available at the moment. Connect again in a few seconds.';
      return { code: CLOSE.tryAgain, cause: 'closed', message: 'try again later', body };
    }
    return { code: CLOSE.internal, cause: 'closed', message: 'internal error', body: 'A fault of the server.' };
  }
}
