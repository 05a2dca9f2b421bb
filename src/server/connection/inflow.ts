/**
 * The reading side of a connection: bytes become frames, which are handled one after the other. While one is being worked
 * on, or waits for its turn, the transport is not read.
 */
import type { Frame, Version } from '../stomp/frame.ts';
import { type Limits, Parser } from '../stomp/parser.ts';
import type { Transport } from '../transport/transport.ts';
import type { Turns, Worker } from './turns.ts';

/** What becomes of what is read. */
interface Handling {
  /** When there is room for what this frame would send; undefined: now. */
  roomFor(frame: Frame): Promise<void> | undefined;
  /** @returns when the next frame may be handled; undefined: now */
  handle(frame: Frame): Promise<void> | undefined;
  /** A frame, or what should have been one, can't be handled. */
  refuse(error: unknown, frame: Frame | undefined): void;
  /** All that has arrived is handled. */
  done(): void;
  /** The transport is read again. */
  resumed(): void;
}

export class Inflow implements Worker {
  readonly counters = { frames: 0, octets: 0 };
  readonly #transport: Transport;
  readonly #turns: Turns;
  readonly #parser: Parser;
  readonly #handling: Handling;
  #chunks: Buffer[] = [];
  #frames: Generator<Frame, void, undefined> | undefined;
  /** Waits until there is room for it. */
  #held: Frame | undefined;
  /** The transport is read. */
  #isListening = true;
  #isOver = false;

  constructor(transport: Transport, turns: Turns, limits: Limits, handling: Handling) {
    this.#transport = transport;
    this.#turns = turns;
    this.#parser = new Parser(limits);
    this.#handling = handling;
  }

  get listening(): boolean {
    return this.#isListening;
  }

  /** Governs how the next frames are read. */
  set version(version: Version) {
    this.#parser.version = version;
  }

  receive(bytes: Buffer): void {
    this.counters.octets += bytes.length;
    this.#chunks.push(bytes);
    this.proceed();
  }

  /** Handles what has arrived, as soon as it is this connection's turn. */
  proceed(): void {
    if (this.#isListening) this.#begin();
  }

  /** Nothing more is handled. */
  end(): void {
    this.#isOver = true;
    this.#chunks = [];
  }

  #begin(): void {
    if (!this.#turns.begin(this)) this.#listen(false);
  }

  /** Handles frame after frame until there is none, one takes time, or the others have their turn. */
  work(end: number): boolean {
    while (!this.#isOver) {
      let frame: Frame | undefined;
      try {
        frame = this.#held ?? this.#next();
        if (!frame) break;
        const room = this.#handling.roomFor(frame);
        this.#held = room && frame;
        const work = room ?? this.#handle(frame);
        if (work) {
          this.#wait(frame, work);
          return false;
        }
      } catch (error) {
        this.#handling.refuse(error, frame);
      }
      if (performance.now() >= end) return true;
    }
    this.#handling.done();
    this.#listen(true);
    return false;
  }

  #handle(frame: Frame): Promise<void> | undefined {
    this.counters.frames++;
    return this.#handling.handle(frame);
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
    work.catch((error: unknown) => this.#handling.refuse(error, frame)).finally(() => this.#begin());
  }

  #listen(listening: boolean): void {
    if (listening === this.#isListening) return;
    this.#isListening = listening;
    if (listening) {
      this.#handling.resumed();
      this.#transport.resume();
    } else this.#transport.pause();
  }
}
