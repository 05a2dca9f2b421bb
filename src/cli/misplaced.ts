/** An option of a command that was typed before the command. */
import { Command, type Option } from 'commander';
import { WssessError } from '../common/errors.ts';
import type { Entry } from './program.ts';

/**
 * What is wrong with `wssess --redis URL ls`; undefined when the option is nobody's, or stands behind a command.
 * @param said the option as it was typed; what it was given is not repeated, which may be a password
 */
export async function misplaced(
  said: string,
  argv: readonly string[],
  commands: readonly Entry[],
): Promise<WssessError | undefined> {
  const flag = flagOf(said);
  const at = argv.indexOf(said);
  const named = (arg: string) => commands.filter(({ name, alias }) => arg === name || arg === alias);
  if (argv.slice(0, at).some((arg) => named(arg).length > 0)) return undefined;
  const meant = argv.slice(at + 1).flatMap(named);
  for (const entry of meant.length > 0 ? meant : commands) {
    const option = await optionOf(entry, flag);
    if (!option) continue;
    const argument = / <(.*)>$/.exec(option.flags)?.[1]?.toUpperCase();
    const command = meant.length > 0 ? entry.name : 'COMMAND';
    return new WssessError('usage', `${flag} is an option of commands, and stands before one`, {
      advice: `Put it behind the command: wssess ${command} ${flag}${argument ? ` ${argument}` : ''}`,
    });
  }
  return undefined;
}

/** `--redis` of `--redis=redis://…`, `-o` of `-ojson`. */
export const flagOf = (said: string): string => (said.startsWith('--') ? said.split('=')[0]! : said.slice(0, 2));

async function optionOf(entry: Entry, flag: string): Promise<Option | undefined> {
  const command = new Command(entry.name);
  (await entry.load()).define(command);
  return command.options.find(({ short, long }) => flag === short || flag === long);
}
