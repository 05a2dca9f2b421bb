/** STOMP heart-beats of one connection (1.2 "Heart-beating"): each way apart, 0 is off. Times are milliseconds of the monotonic clock. */
import { LONGEST_TIMER } from '../../common/time.ts';
import type { HeartBeat } from '../stomp/heartbeat.ts';

/** What a client may be late at least: timers and networks aren't exact. */
const LEAST_MARGIN = 1000;
/** Of the agreed interval a beat is sent after so much, since timers fire late and it must not be exceeded. */
const EARLY = 0.9;

interface Beats {
  /** Send a heart-beat. */
  beat(): void;
  /** Whether the client is listened to; else its silence is ours. */
  listening(): boolean;
  /** The client was silent for longer than it may be. */
  lost(silent: number): void;
}

export class HeartBeats {
  readonly #beats: Beats;
  #sending: NodeJS.Timeout | undefined;
  #listening: NodeJS.Timeout | undefined;
  #lastReceived = 0;

  constructor(beats: Beats) {
    this.#beats = beats;
  }

  /** Starts as agreed in CONNECT. Any bytes from the client count; WebSocket pongs don't come here. */
  start({ send, receive }: HeartBeat): void {
    // A beat is sent whether or not a frame went just before: so there are never two intervals between two signs.
    const interval = Math.max(1, Math.floor(Math.min(send * EARLY, LONGEST_TIMER)));
    if (send > 0) this.#sending = setInterval(this.#beats.beat, interval);
    if (receive > 0) this.#listen(Math.min(receive + Math.max(receive, LEAST_MARGIN), LONGEST_TIMER));
  }

  /** The client sent something. */
  received(now: number): void {
    this.#lastReceived = now;
  }

  stop(): void {
    clearInterval(this.#sending);
    clearTimeout(this.#listening);
  }

  #listen(patience: number): void {
    this.#listening = setTimeout(
      () => {
        const now = performance.now();
        if (!this.#beats.listening()) this.#lastReceived = now;
        const silent = now - this.#lastReceived;
        if (silent >= patience) this.#beats.lost(Math.round(silent));
        else this.#listen(patience);
      },
      Math.max(1, this.#lastReceived + patience - performance.now()),
    );
  }
}
