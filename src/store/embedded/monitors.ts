/** MONITOR: clients that are shown each command that runs. */
import type { Client } from './client.ts';
import type { Command, Context } from './commands/command.ts';

/** Characters of a command that are shown. Redis shows all; a command here can have 128 MB. */
const SHOWN = 64 * 1024;

export class Monitors {
  readonly #clients = new Set<Client>();

  add(client: Client): void {
    this.#clients.add(client);
  }

  has(client: Client): boolean {
    return this.#clients.has(client);
  }

  delete(client: Client): void {
    this.#clients.delete(client);
  }

  tell({ flags }: Command, words: readonly string[], { db, source }: Context): void {
    if (this.#clients.size === 0 || flags.has('no_auth') || flags.has('admin')) return; // passwords never are shown
    const line = `+${(db.now / 1000).toFixed(6)} [0 ${source}] ${shown(words)}\r\n`;
    for (const client of this.#clients) client.wire.send(line);
  }
}

function shown(words: readonly string[]): string {
  const parts: string[] = [];
  let room = SHOWN;
  for (const word of words) {
    if (room <= 0) break;
    const part = word.slice(0, room);
    room -= part.length + 3;
    parts.push(`"${part.replace(/["\\]|[^ -~]/g, escaped)}"`);
  }
  return parts.join(' ') + (room <= 0 ? '...' : '');
}

/** As Redis' sdscatrepr(). */
const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};
const escaped = (char: string): string => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
