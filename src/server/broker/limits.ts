/** What a client may make the broker keep, and who may send where. */
import type { SettingName, Values } from '../../common/settings.ts';
import type { Frame } from '../stomp/frame.ts';
import type { QueueLimits } from './queues.ts';
import type { TransactionLimits } from './transactions.ts';

export interface BrokerOptions extends QueueLimits, TransactionLimits {
  /** Messages that a session may leave unacknowledged. */
  maxUnacked: number;
  /** Roles that may send to a user, a session, or everyone. */
  sendRoles: ReadonlySet<string>;
}

/** @param get reads one setting */
export function brokerOptions(get: <N extends SettingName>(name: N) => Values[N]): BrokerOptions {
  const roles = (get('sendRoles') ?? '').split(',').map((role) => role.trim());
  return {
    maxUnacked: get('maxUnacked'),
    maxQueue: get('maxQueue'),
    maxQueues: get('maxQueues'),
    queueTtl: get('queueTtl'),
    maxTransactions: get('maxTransactions'),
    maxTransactionBytes: get('maxTransactionBytes'),
    sendRoles: new Set(roles.filter((role) => role !== '')),
  };
}

/** Bytes that a kept frame counts for beside its text: many small ones cost more than they hold. */
const OVERHEAD = 512;
const HEADER_OVERHEAD = 64;

/** What a frame counts for while it is kept: in a queue, in a transaction. */
export function weightOf({ headers, body }: Pick<Frame, 'headers' | 'body'>): number {
  let bytes = OVERHEAD + body.length;
  for (const [name, value] of headers) bytes += HEADER_OVERHEAD + name.length + value.length;
  return bytes;
}
