/**
 * One client: a state machine between a transport and the rest of the server. Frames are handled one after the other;
 * while one is being worked on, or waits for its turn, the transport is not read.
 */
import type { Cause } from '../../sessions/model.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { type Frame, Headers, ownHeader, type Version } from '../stomp/frame.ts';
import { Parser, ProtocolError } from '../stomp/parser.ts';
import { serialize } from '../stomp/serializer.ts';
import type { Message, Transport } from '../transport/transport.ts';
import { HANDLERS, roomFor } from './handlers.ts';
import { HeartBeats } from './heart-beats.ts';
import type { Ending, Surroundings } from './surroundings.ts';
import { toldOf } from './told.ts';
import type { Worker } from './turns.ts';

export class Connection implements Worker {
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
  /** Waits until there is room for it. */
  #held: Frame | undefined;
  /** The transport is read. */
  #listening = true;
  #isGone = false;
  #ended: Promise<void> | undefined;

  constructor(id: string, transport: Transport, surroundings: Surroundings) {
    this.id = id;
    this.transport = transport;
    this.#surroundings = surroundings;
    this.#parser = new Parser(surroundings.limits);
    this.heartBeats = new HeartBeats({
      beat: () => this.#write(Buffer.from('\n')),
      listening: () => this.#listening,
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
    this.sign();
    this.counters.recvOctets += bytes.length;
    this.#chunks.push(bytes);
    if (this.#listening) this.#proceed();
  }

  sign(): void {
    if (this.state === 'closed') return;
    this.lastSign = performance.now();
    this.heartBeats.received(this.lastSign);
    this.onSign();
  }

  /** The client broke the rules of the transport. */
  fault(code: number): void {
    const broken: Record<number, string> = {
      [CLOSE.tooBig]: 'The WebSocket message is larger than this server takes',
      [CLOSE.policy]: 'The WebSocket message has too many fragments',
    };
    this.#refuse(new Refusal(broken[code] ?? 'This is not WebSocket', '', code));
  }

  /** The socket is gone. What was received before is still acted on (1.2 "RECEIPT"). */
  gone(): void {
    this.#isGone = true;
    if (this.#listening) this.#proceed();
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

  get waitedFor(): Promise<void> | undefined {
    return this.#surroundings.backPressure.waitFor(this.transport);
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

  /** Handles what has arrived, as soon as it is this connection's turn. */
  #proceed(): void {
    if (!this.#surroundings.turns.begin(this)) this.#listen(false);
  }

  /** Handles frame after frame until there is none, one takes time, or the others have their turn. */
  work(end: number): boolean {
    while (this.state !== 'closed') {
      let frame: Frame | undefined;
      try {
        frame = this.#held ?? this.#next();
        if (!frame) break;
        const room = this.#surroundings.backPressure.active
          ? roomFor(this, frame, this.#surroundings.services)
          : undefined;
        this.#held = room && frame;
        const work = room ?? this.#handle(frame);
        if (work) {
          this.#wait(frame, work);
          return false;
        }
      } catch (error) {
        this.#refuse(error, frame);
      }
      if (performance.now() >= end) return true;
    }
    if (this.#isGone) void this.end('closed', { code: CLOSE.normal, reason: '' });
    this.#listen(true);
    return false;
  }

  /** The next whole frame of what has arrived. @throws ProtocolError */
  #next(): Frame | undefined {
    for (;;) {
      if (!this.#frames) {
        const chunk = this.#chunks.shift();
        if (!chunk) return undefined;
        this.#frames = this.#parser.push(chunk);
      }
      const next = this.#frames.next();
      if (!next.done) return next.value;
      this.#frames = undefined;
    }
  }

  /** Lets a frame's work finish before the next frame is looked at. */
  #wait(frame: Frame, work: Promise<void>): void {
    this.#listen(false);
    work.catch((error: unknown) => this.#refuse(error, frame)).finally(() => this.#proceed());
  }

  #listen(listening: boolean): void {
    if (listening === this.#listening) return;
    this.#listening = listening;
    if (listening) {
      this.heartBeats.received(performance.now()); // the client wasn't listened to: its silence begins now
      this.transport.resume();
    } else this.transport.pause();
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
    const { code, cause, message, body, headers, ours } = toldOf(error);
    if (ours) this.#surroundings.fault(error);
    void this.end(cause, { code, reason: message, error: { body, headers: { 'receipt-id': receipt, ...headers } } });
  }
}
