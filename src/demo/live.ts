/** The demo on a terminal: a line that is drawn again in its place, and above it what is worth keeping, until the end. */
import { visible } from '../common/escape.ts';
import { countAll, type Stats } from '../sessions/stats.ts';
import type { Crowd, Tally } from './crowd.ts';
import { pause } from './pause.ts';
import type { Stage } from './stage.ts';
import type { Closed, Visitor } from './visitor.ts';

export interface Terminal {
  out(text: string): Promise<void>;
  size(): { columns: number };
}

/** Milliseconds between drawings; a large crowd is counted less often, so that counting is never what it does. */
const INTERVAL = 1000;
const REST = 10;
/** Clients thrown out that are named between two drawings. */
const NAMED = 5;

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_LINE = '\r\x1b[K';

/** One line in its place. Nothing above it is ever touched again. */
export class LiveLine {
  readonly #terminal: Terminal;
  #text = '';
  #open = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param over closes it: a second Ctrl-C, which ends the process at once, finds the cursor given back */
  async open(over: AbortSignal): Promise<void> {
    this.#open = true;
    over.addEventListener('abort', () => void this.close(), { once: true });
    await this.#terminal.out(HIDE_CURSOR);
  }

  /** Draws it, never wider than the terminal: a line that wraps can't be drawn over. */
  async draw(text: string): Promise<void> {
    this.#text = text;
    if (this.#open) await this.#terminal.out(CLEAR_LINE + this.#shown());
  }

  /** Writes whole lines above it. */
  async note(lines: string): Promise<void> {
    await this.#terminal.out(this.#open ? `${CLEAR_LINE}${lines}${this.#shown()}` : lines);
  }

  /** Leaves its last text there, and gives the cursor back; once. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // What the terminal echoed of Ctrl-C stands in the line.
    await this.#terminal.out(`${CLEAR_LINE}${this.#shown()}${this.#text ? '\n' : ''}${SHOW_CURSOR}`);
  }

  #shown(): string {
    return this.#text.slice(0, Math.max(1, this.#terminal.size().columns - 1));
  }
}

/** Lets the crowd live until it is over. Whoever has the most devices stays: somebody to look for. */
export async function live({ sessions, crowd, over }: Stage, line: LiveLine): Promise<void> {
  const thrown: string[] = [];
  crowd.onThrown = (visitor, how) => thrown.push(said(visitor, how));
  let before: Tally = { ...crowd.tally };
  crowd.mingle(crowd.mostDevices());
  while (!over.aborted) {
    const begin = performance.now();
    const stats = await countAll(sessions);
    if (over.aborted) break;
    if (thrown.length > 0) await line.note(listed(thrown.splice(0)));
    await line.draw(text(stats, before, crowd));
    before = { ...crowd.tally };
    await pause(Math.max(INTERVAL, (performance.now() - begin) * REST), over);
  }
}

/** `14:27:01  sessions 41 (+3 −1)  users 33  agents 6  customers 35  messages 12`, counted in the store. */
function text({ at, sessions, users, byRole }: Stats, before: Tally, { tally }: Crowd): string {
  const number = (many: number) => many.toLocaleString('en-US');
  const gone = ({ left, vanished, thrown }: Tally) => left + vanished + thrown;
  const parts = [
    clock(at),
    `sessions ${number(sessions)} (+${tally.arrived - before.arrived} −${gone(tally) - gone(before)})`,
    `users ${number(users)}`,
    `agents ${number(byRole.get('AGENT') ?? 0)}`,
    `customers ${number(byRole.get('CUSTOMER') ?? 0)}`,
    `messages ${number(tally.said)}`,
  ];
  if (tally.refused > 0) parts.push(`refused ${number(tally.refused)}`);
  return parts.join('  ');
}

/** `14:27:01  김서연 was thrown out: ERROR "password changed", close code 4001` */
function said({ device, error }: Visitor, { code }: Closed): string {
  const told = error ? `ERROR "${visible(error.headers.message ?? '')}"` : 'no ERROR';
  return `${clock(Date.now())}  ${device.user} was thrown out: ${told}, close code ${code}\n`;
}

function listed(thrown: string[]): string {
  const rest = thrown.length - NAMED;
  return thrown.slice(0, NAMED).join('') + (rest > 0 ? `          and ${rest.toLocaleString('en-US')} more\n` : '');
}

const clock = (at: number) => new Date(at).toTimeString().slice(0, 8);
