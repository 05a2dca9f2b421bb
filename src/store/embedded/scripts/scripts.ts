/** The scripts that run here: those that the store was started with, each known by its SHA, and no others. */
import type { Command, Context } from '../commands/command.ts';
import { Fault, FULL, type Reply } from '../protocol/reply.ts';
import { Lua } from './lua.ts';

export interface KnownScript {
  /** SHA-1 of `lua`, in small letters. */
  sha: string;
  /** With Redis' first line, `#!lua flags=…`. */
  lua: string;
}

interface Compiled {
  id: number;
  flags: ReadonlySet<string>;
}

export class Scripts {
  readonly #lua = new Lua();
  readonly #known = new Map<string, Compiled>();
  readonly #shaOfText = new Map<string, string>();

  /** @throws Error for a script that doesn't compile */
  constructor(scripts: readonly KnownScript[]) {
    for (const { sha, lua } of scripts) {
      const [first = ''] = lua.split('\n', 1);
      const flags = /^#!lua(?: +flags=(\S+))?/.exec(first)?.[1]?.split(',') ?? [];
      // The first line stays, empty, so that the lines in errors are right.
      const source = first.startsWith('#!') ? lua.slice(first.length) : lua;
      this.#known.set(sha, { id: this.#lua.compile(source), flags: new Set(flags) });
      this.#shaOfText.set(Buffer.from(lua, 'utf8').toString('latin1'), sha);
    }
  }

  has(sha: string): boolean {
    return this.#known.has(sha.toLowerCase());
  }

  /** @param text as it came over the wire; undefined for one that doesn't run here */
  shaOf(text: string): string | undefined {
    return this.#shaOfText.get(text);
  }

  /** @throws Fault NOSCRIPT, OOM, and for a script that may write where it must not */
  run(sha: string, keys: readonly string[], args: readonly string[], context: Context, readOnly: boolean): Reply {
    const script = this.#known.get(sha.toLowerCase());
    if (!script) throw new Fault('NOSCRIPT No matching script. Please use EVAL.');
    const { id, flags } = script;
    const mayWrite = !flags.has('no-writes');
    if (mayWrite && !flags.has('allow-oom') && context.engine.full) throw new Fault(FULL);
    if (readOnly && mayWrite) throw new Fault('ERR Can not execute a script with write flag using *_ro command.');
    const inside = { ...context, atomic: true, source: 'lua' };
    return this.#lua.run(id, sha.toLowerCase(), keys, args, (words) => callFrom(inside, words, mayWrite));
  }
}

function callFrom(context: Context, words: string[], mayWrite: boolean): Reply {
  const found = context.engine.find(words);
  if (found instanceof Fault) {
    const known = found.message.startsWith('ERR wrong number');
    return new Fault(
      known
        ? 'ERR Wrong number of args calling Redis command from script'
        : 'ERR Unknown Redis command called from script',
    );
  }
  const { command } = found;
  const refusal = refusalOf(command, mayWrite);
  if (!refusal) return context.engine.call(found, context) ?? null;
  context.engine.statistics.rejected(command.name);
  return refusal;
}

function refusalOf({ flags }: Command, mayWrite: boolean): Fault | undefined {
  if (flags.has('noscript')) return new Fault('ERR This Redis command is not allowed from script');
  if (!flags.has('write') || mayWrite) return undefined;
  return new Fault('ERR Write commands are not allowed from read-only scripts.');
}
