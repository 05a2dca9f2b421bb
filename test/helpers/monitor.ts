/** What Redis is asked to do, scripts' own commands included, and whether it blocks it in proportion to its data. */
import { Redis } from 'ioredis';

export type Command = string[];

/** Records every command of every client while `act` runs. */
export async function commandsOf(url: string, act: () => Promise<unknown>): Promise<Command[]> {
  const client = new Redis(url);
  const monitor = await client.duplicate().monitor();
  const commands: Command[] = [];
  const marker = `end-of-recording-${process.hrtime.bigint()}`;
  const over = new Promise<void>((resolve) =>
    monitor.on('monitor', (_: string, args: string[]) => {
      if (args[1] === marker) resolve();
      else commands.push([args[0]!.toUpperCase(), ...args.slice(1)]);
    }),
  );
  try {
    await act();
    await client.echo(marker);
    await over;
  } finally {
    client.disconnect();
    monitor.disconnect();
  }
  return commands;
}

/** Commands that read or write a whole value or database at once, however large. */
const WHOLE = new Set(
  `KEYS SMEMBERS HGETALL HKEYS HVALS SUNION SINTER SDIFF SUNIONSTORE SINTERSTORE SDIFFSTORE ZUNION ZINTER ZDIFF
   ZUNIONSTORE ZINTERSTORE SORT SORT_RO FLUSHALL FLUSHDB XRANGE XREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX
   LRANGE EVAL EVAL_RO DEBUG SAVE`.split(/\s+/),
);
/** Elements that one command may ask for. */
const MOST = 10_000;
const LARGEST_PAGE = 1000;

/** The commands that may block Redis for long. */
export function unbounded(commands: readonly Command[]): Command[] {
  return commands.filter(([name = '', ...args]) => {
    if (WHOLE.has(name)) return true;
    if (/^[SHZ]?SCAN$/.test(name)) {
      const at = args.findIndex((arg) => arg.toUpperCase() === 'COUNT');
      const count = at < 0 ? Number.NaN : Number(args[at + 1]);
      return !(count >= 1 && count <= LARGEST_PAGE);
    }
    if (name === 'ZRANGE' || name === 'ZREVRANGE') {
      const [from, to] = [Number(args[1]), Number(args[2])];
      const byRank = !args.slice(3).some((arg) => /^BY(SCORE|LEX)$/i.test(arg));
      return !(byRank && from >= 0 && to >= from && to - from < MOST);
    }
    if (name === 'MGET' || name === 'SMISMEMBER' || name === 'DEL') return args.length > LARGEST_PAGE;
    if (name === 'EVALSHA' || name === 'EVALSHA_RO') return Number(args[1]) > LARGEST_PAGE;
    return false;
  });
}
