/** One client: a state machine between its two flows (inflow.ts, outflow.ts) and the rest of the server. */
import { headline } from '../../common/escape.ts';
import type { Cause } from '../../sessions/model.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { type Frame, Headers, ownHeader, type Version } from '../stomp/frame.ts';
import { ProtocolError } from '../stomp/protocol-error.ts';
import { serialize } from '../stomp/serializer.ts';
import type { Message, Transport } from '../transport/transport.ts';
import { HANDLERS, roomFor } from './handlers.ts';
import { HeartBeats } from './heart-beats.ts';
import { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';
import type { Ending, Surroundings } from './surroundings.ts';
import { faultOf, toldOf } from './told.ts';

export class Connection {
  readonly id: string;
  readonly transport: Transport;
  readonly heartBeats: HeartBeats;
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
  readonly #inflow: Inflow;
  readonly #outflow: Outflow;
  readonly #connectTimer: NodeJS.Timeout;
  #version: Version = '1.0';
  /** What is done once all that came is handled: nothing more comes. */
  #last: (() => void) | undefined;
  #ended: Promise<void> | undefined;

  constructor(id: string, transport: Transport, surroundings: Surroundings) {
    this.id = id;
    this.transport = transport;
    this.#surroundings = surroundings;
    const { limits, turns, backPressure, maxBuffer, services } = surroundings;
    this.#inflow = new Inflow(transport, turns, limits, {
      roomFor: (frame) => (backPressure.active ? roomFor(this, frame, services) : undefined),
      handle: (frame) => this.#handle(frame),
      refuse: (error, frame) => this.#refuse(error, frame),
      done: () => this.#last?.(),
      // While the client wasn't listened to it wasn't silent.
      resumed: () => this.heartBeats.received(performance.now()),
    });
    this.#outflow = new Outflow(transport, backPressure, maxBuffer, () => {
      // What waited never reaches it, an ERROR neither.
      transport.destroy();
      void this.end('slow_consumer', { code: CLOSE.policy, reason: 'slow consumer' });
    });
    this.heartBeats = new HeartBeats({
      beat: () => this.#outflow.write(Buffer.from('\n')),
      listening: () => this.#inflow.listening,
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

  get counters(): { recvCount: number; recvOctets: number; sendCount: number; sendOctets: number } {
    const [received, sent] = [this.#inflow.counters, this.#outflow.counters];
    return { recvCount: received.frames, recvOctets: received.octets, sendCount: sent.frames, sendOctets: sent.octets };
  }

  get version(): Version {
    return this.#version;
  }

  /** Agreed in CONNECT; governs how the next frames are read and written. */
  set version(version: Version) {
    this.#version = version;
    this.#inflow.version = version;
  }

  /** Bytes from the transport. */
  receive(bytes: Buffer): void {
    if (this.state === 'closed') return;
    this.sign();
    this.#inflow.receive(bytes);
  }

  sign(): void {
    if (this.state === 'closed') return;
    this.lastSign = performance.now();
    this.heartBeats.received(this.lastSign);
    this.onSign();
  }

  /** The client broke the rules of the transport. What was received before is still acted on (1.2 "RECEIPT"). */
  fault(code: number): void {
    this.#finally(() => this.#refuse(faultOf(code)));
  }

  /** The socket is gone. What was received before is still acted on, and what broke it is told of first. */
  gone(): void {
    this.#finally(() => void this.end('closed', { code: CLOSE.normal, reason: '' }));
  }

  #finally(last: () => void): void {
    this.#last ??= last;
    this.#inflow.proceed();
  }

  /** CONNECT was understood; from here the registry's own time-outs count. */
  connecting(): void {
    this.state = 'connecting';
    clearTimeout(this.#connectTimer);
  }

  /** CONNECT was answered. */
  opened(): void {
    this.state = 'open';
    this.#outflow.opened(this.user);
  }

  /** Sends a frame of the server's own. */
  sendFrame(command: string, headers: Record<string, string | number | undefined>, body: Buffer | string = ''): void {
    this.send(serialize(command, Headers.of(headers), body, this.version));
  }

  /** Sends an encoded frame; a client that doesn't read is cut. */
  send(frame: Buffer | Message): void {
    if (this.state !== 'closed') this.#outflow.send(frame);
  }

  get clogged(): boolean {
    return this.#outflow.clogged;
  }

  get waitedFor(): Promise<void> | undefined {
    return this.#outflow.waitedFor;
  }

  /** It is behind with its acknowledgements. */
  overrun(reason: string, body: string): void {
    void this.end('slow_consumer', { code: CLOSE.policy, reason, error: { body } });
  }

  /**
   * Ends the session, once: later calls wait for the first. Nothing that the client sends is acted on from here.
   * @returns resolves when it is unregistered
   */
  end(cause: Cause, ending: Ending): Promise<void> {
    if (this.state === 'closed') return this.#ended ?? Promise.resolve();
    const { code, reason, error, receipt } = ending;
    this.#outflow.finish();
    if (error) {
      // As one line, which every version can give: a header that can't be given would be left out.
      const headers = { message: headline(reason), cause, 'content-type': 'text/plain', ...error.headers };
      this.sendFrame('ERROR', headers, error.body);
    }
    this.state = 'closed';
    this.cause = cause;
    this.#inflow.end();
    this.#outflow.ended(this.user);
    clearTimeout(this.#connectTimer);
    this.heartBeats.stop();
    if (receipt === undefined) {
      this.transport.close(code, reason);
      this.#ended = this.#surroundings.forget(this);
    } else {
      this.#ended = this.#surroundings.forget(this).then(() => {
        this.#outflow.write(serialize('RECEIPT', Headers.of({ 'receipt-id': receipt }), '', this.version));
        this.transport.close(code, reason);
      });
    }
    return this.#ended;
  }

  #handle(frame: Frame): Promise<void> | undefined {
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
