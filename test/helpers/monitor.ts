/** What Redis is asked to do, scripts' own commands included, and whether it blocks it in proportion to its data. */
import { splitLine } from '../../src/store/embedded/protocol/inline.ts';
import { RawClient } from './resp.ts';
import { until } from './wait.ts';

export type Command = string[];

/** Records every command of every client while `act` runs. (ioredis loses its place when lines follow OK at once.) */
export async function commandsOf(url: string, act: () => Promise<unknown>): Promise<Command[]> {
  const port = Number(new URL(url).port);
  const [client, monitor] = [new RawClient(port), new RawClient(port)];
  const marker = `end-of-recording-${process.hrtime.bigint()}`;
  try {
    await monitor.call('MONITOR');
    await act();
    await client.call('ECHO', marker);
    const ended = () => monitor.pushed.some((line) => line.includes(marker));
    await until(ended, 10_000, 'MONITOR to show the end of the recording');
  } finally {
    client.close();
    monitor.close();
  }
  const commands = monitor.pushed.map((line) => commandIn(line as string));
  return commands.slice(
    0,
    commands.findIndex((words) => words[1] === marker),
  );
}

/** `+1700000000.123456 [0 127.0.0.1:50000] "GET" "key"`, or `[0 lua]` for what a script calls. */
function commandIn(line: string): Command {
  const [name = '', ...args] = splitLine(line.slice(line.indexOf('] ') + 2)) ?? [];
  return [name.toUpperCase(), ...args.map((arg) => Buffer.from(arg, 'latin1').toString('utf8'))];
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
      const limit = args.findIndex((arg) => /^LIMIT$/i.test(arg));
      if (limit > 0) return !(args[limit + 1] === '0' && Number(args[limit + 2]) <= LARGEST_PAGE);
      return !(byRank && from >= 0 && to >= from && to - from < MOST);
    }
    if (name === 'MGET' || name === 'SMISMEMBER' || name === 'DEL') return args.length > LARGEST_PAGE;
    if (name === 'EVALSHA' || name === 'EVALSHA_RO') return Number(args[1]) > LARGEST_PAGE;
    return false;
  });
}
