/** Who may send where. */
import { Refusal } from '../refusal.ts';
import { quote } from '../stomp/protocol-error.ts';
import { parseTarget, type Target } from './destinations.ts';

/**
 * Reads the destination of a SEND.
 * @param sendRoles may send to a user, a session, or everyone
 * @throws Refusal for a destination that isn't served, or not for this sender
 */
export function permitted(
  { role }: { readonly role: string | null },
  destination: string,
  sendRoles: ReadonlySet<string>,
): Exclude<Target, { kind: 'unserved' }> {
  const target = parseTarget(destination);
  if (target.kind === 'unserved') throw new Refusal(target.why, target.advice);
  const open = target.kind === 'topic' || target.kind === 'queue';
  if (!open && (role === null || !sendRoles.has(role))) {
    throw new Refusal(
      `your role may not send to ${quote(destination)}`,
      'Only the roles of --send-roles may send to a user, a session, or everyone.',
    );
  }
  return target;
}
