/** What a broker that has no other nodes is given. */
import type { OtherNodes } from '../../src/server/broker/other-nodes.ts';

export const ALONE: OtherNodes = {
  publish: () => undefined,
  room: undefined,
  watch: () => undefined,
  unwatch: () => {},
};
