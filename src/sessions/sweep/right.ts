/** The right to sweep: one process over all nodes has it at a time, and it ends by itself when that process dies. */
import { wrongType } from '../../common/errors.ts';
import { SCHEMA } from '../keys.ts';
import { checkSchema } from '../schema.ts';
import { sweeper } from '../scripts.gen.ts';
import type { Sessions } from '../sessions.ts';
import { KEPT } from './foreign.ts';

/** Milliseconds that it lasts unless it is renewed: shorter than a lease, so that who died while sweeping is swept too. */
export const RIGHT = 4000;

/** Takes or renews it. @returns whether this process has it @throws WssessError `schema_newer`, `key_type` */
export function holdRight(incarnation: string, floor: Pick<Sessions, 'store' | 'keys'>): Promise<boolean> {
  return run(incarnation, RIGHT, floor);
}

/** Gives it back, if this process has it. */
export async function giveBackRight(incarnation: string, floor: Pick<Sessions, 'store' | 'keys'>): Promise<void> {
  await run(incarnation, 0, floor);
}

async function run(
  incarnation: string,
  ms: number,
  { store, keys }: Pick<Sessions, 'store' | 'keys'>,
): Promise<boolean> {
  const names = [keys.sweeper, keys.foreign, keys.foreignUsers, keys.swept, keys.schema];
  const [result, what] = await store.run<[string, string?]>(sweeper, names, [incarnation, ms, KEPT, SCHEMA]);
  if (result === 'NEWER') checkSchema(what!);
  if (result === 'TYPE') throw wrongType(what!);
  return result === 'OK';
}
