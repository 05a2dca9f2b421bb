/** The open transactions of one session (1.2 "BEGIN"). Pure: it keeps steps until they are taken, and bounds them. */
import { CLOSE, Refusal } from '../refusal.ts';
import { quote } from '../stomp/protocol-error.ts';

export interface TransactionLimits {
  /** Open at a time in a session. */
  maxTransactions: number;
  /** Bytes that the open transactions of a session may hold. */
  maxTransactionBytes: number;
}

interface Open<Step> {
  steps: Step[];
  bytes: number;
}

export class Transactions<Step> {
  readonly #limits: TransactionLimits;
  readonly #open = new Map<string, Open<Step>>();
  #bytes = 0;

  constructor(limits: TransactionLimits) {
    this.#limits = limits;
  }

  /** 1.2 "BEGIN". @throws Refusal for a name that is open, or one too many */
  begin(name: string): void {
    if (this.#open.has(name)) throw new Refusal(`the transaction ${quote(name)} is open already`, '', CLOSE.protocol);
    const { maxTransactions } = this.#limits;
    if (this.#open.size >= maxTransactions) {
      throw new Refusal(`more than ${maxTransactions} open transactions`, 'Commit or abort one first.');
    }
    this.#open.set(name, { steps: [], bytes: 0 });
  }

  /** @throws Refusal unless it is open and may take so many bytes more */
  check(name: string, bytes: number): void {
    this.#of(name);
    const { maxTransactionBytes } = this.#limits;
    if (this.#bytes + bytes > maxTransactionBytes) {
      throw new Refusal(
        `the open transactions hold more than ${maxTransactionBytes} bytes`,
        'Commit smaller transactions.',
        CLOSE.tooBig,
      );
    }
  }

  /** @throws Refusal as `check` does */
  add(name: string, step: Step, bytes: number): void {
    this.check(name, bytes);
    const one = this.#of(name);
    one.steps.push(step);
    one.bytes += bytes;
    this.#bytes += bytes;
  }

  /** The steps so far, in their order. @throws Refusal unless it is open */
  steps(name: string): readonly Step[] {
    return this.#of(name).steps;
  }

  /** Ends one, for COMMIT or ABORT. @returns its steps @throws Refusal unless it is open */
  take(name: string): Step[] {
    const { steps, bytes } = this.#of(name);
    this.#open.delete(name);
    this.#bytes -= bytes;
    return steps;
  }

  /** Ends all: the session is over. */
  takeAll(): Step[] {
    return [...this.#open.keys()].flatMap((name) => this.take(name));
  }

  #of(name: string): Open<Step> {
    const one = this.#open.get(name);
    if (!one) throw new Refusal(`there is no open transaction ${quote(name)}`, '', CLOSE.protocol);
    return one;
  }
}
