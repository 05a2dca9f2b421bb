/** https://redis.io/docs/latest/commands/?group=scripting for the scripts that the store was started with. */
import { integer } from '../protocol/arguments.ts';
import { Fault } from '../protocol/reply.ts';
import { container, type Handler, type Rows } from './command.ts';

const ONLY_OWN = "ERR only wssess's own scripts run here";

const evalSha =
  (readOnly: boolean): Handler =>
  ([sha, count, ...rest], context) => {
    if (sha!.length !== 40) throw new Fault('NOSCRIPT No matching script. Please use EVAL.');
    const keys = integer(count);
    if (keys > rest.length) throw new Fault("ERR Number of keys can't be greater than number of args");
    if (keys < 0) throw new Fault("ERR Number of keys can't be negative");
    return context.engine.scripts.run(sha!, rest.slice(0, keys), rest.slice(keys), context, readOnly);
  };

const refuse: Handler = () => {
  throw new Fault(ONLY_OWN);
};

const load: Handler = ([text], { engine }) => {
  const sha = engine.scripts.shaOf(text!);
  if (sha === undefined) throw new Fault(ONLY_OWN);
  return sha;
};

export const scripting: Rows = {
  evalsha: [-3, 'noscript', evalSha(false)],
  evalsha_ro: [-3, 'noscript', evalSha(true)],
  eval: [-3, 'noscript', refuse],
  eval_ro: [-3, 'noscript', refuse],
  script: container,
  'script|load': [3, 'noscript', load],
  'script|exists': [-3, 'noscript', (shas, { engine }) => shas.map((sha) => (engine.scripts.has(sha) ? 1 : 0))],
};
