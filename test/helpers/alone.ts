/** What a broker is given that has no other nodes, and whose clients are never behind. */
import type { Pace } from '../../src/server/broker/client.ts';
import type { OtherNodes } from '../../src/server/broker/other-nodes.ts';

export const ALONE: OtherNodes = {
  publish: () => undefined,
  room: undefined,
  watch: () => undefined,
  unwatch: () => {},
};

export const UNHURRIED: Pace = { active: false, watch: (work) => ({ result: work(), room: undefined }) };
