/** How the help of a command is laid out: what it does, its own options, then those that many commands share. */
import { type Command, Help, Option } from 'commander';

/** Headings of options; what has none stands below `Options:`, before all of these. */
export const HEADING = {
  selection: 'Selection:',
  output: 'Output:',
  connection: 'Connection:',
  other: 'Other:',
} as const;

/** In this order, at the end. */
const LAST: readonly string[] = Object.values(HEADING);

const { groupItems } = Help.prototype;

/** Orders the groups of options of a program and its commands. */
export function orderHelp(program: Command): void {
  program.configureHelp({
    groupItems<T extends Command | Option>(unsorted: T[], visible: T[], groupOf: (item: T) => string) {
      const groups = (groupItems<T>).call(this, unsorted, visible, groupOf);
      return new Map([...groups].sort(([a], [b]) => LAST.indexOf(a) - LAST.indexOf(b)));
    },
  });
}

/** Adds what every command has, --help and --verbose, and a sentence at the top of its help. */
export function addCommon(command: Command, summary: string): void {
  command
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .addOption(new Option('--verbose', 'print the stack of an error').helpGroup(HEADING.other))
    .addHelpOption(new Option('-h, --help', 'print this help').helpGroup(HEADING.other));
}
