/**
 * Drained by an operator: this node takes no connections, closes those that it has at a pace, and stays up and idle. It
 * can be taken back; a signal ends the process as ever, without the pace.
 */
import type { DrainAsks } from '../../sessions/control.ts';
import { Throttle } from '../../sessions/throttle.ts';
import type { Log } from '../log.ts';
import { shutdown } from './endings.ts';
import type { Lease } from './lease.ts';
import type { Members } from './members.ts';

export interface Drained {
  members: Pick<Members, 'drain' | 'sockets'>;
  lease: Pick<Lease, 'tell'>;
  log: Log;
  fault(error: unknown): void;
}

export class Draining {
  readonly #drained: Drained;
  /** Calls the closing off; undefined: not draining. */
  #closing: AbortController | undefined;

  constructor(drained: Drained) {
    this.#drained = drained;
  }

  get active(): boolean {
    return this.#closing !== undefined;
  }

  /** Resolves when the lease tells of it. While it drains already, the new pace and reason hold for what is left. */
  async begin({ rate, reason }: Omit<DrainAsks, 'undo'>): Promise<void> {
    const { members, lease, log } = this.#drained;
    this.#closing?.abort();
    this.#closing = new AbortController();
    log.info(
      `draining, as an operator asked: ${members.sockets} connections are closed${rate ? `, ${rate} a second` : ''}`,
    );
    void this.#close(new Throttle(rate ?? undefined, this.#closing.signal), reason, this.#closing.signal);
    await lease.tell();
  }

  async #close(pace: Throttle, reason: string | null, stopped: AbortSignal): Promise<void> {
    const { members, lease, log, fault } = this.#drained;
    try {
      await members.drain({ pace, ending: shutdown(reason) });
      if (stopped.aborted) return;
      log.info('drained: no connection is left, and none is taken');
      await lease.tell();
    } catch (error) {
      fault(error);
    }
  }

  /** Takes connections again; what is not closed by now stays. Resolves when the lease tells of it. */
  async undo(): Promise<void> {
    if (!this.#closing) return;
    this.end();
    this.#drained.log.info('taking connections again, as an operator asked');
    await this.#drained.lease.tell();
  }

  /** Closes nothing more at its pace. */
  end(): void {
    this.#closing?.abort();
    this.#closing = undefined;
  }
}
