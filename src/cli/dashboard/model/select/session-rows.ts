/** Sessions as rows of a table and as details. */
import { visible } from '../../../../common/escape.ts';
import { rfc3339 } from '../../../../common/time.ts';
import type { Session } from '../../../../sessions/model.ts';
import { NO_NODE } from '../../../../sessions/selection.ts';
import { shortAgent } from '../../../output/agent.ts';
import { deadness } from '../questions.ts';
import type { Line, Said, State } from '../state.ts';
import type { Cell, DetailsView, SESSION_CELLS } from '../views.ts';
import { age, cell, outcomeCell, thousands, UNKNOWN } from './text.ts';

type SessionCell = (typeof SESSION_CELLS)[number];

/** Milliseconds: a TTL that is nearer to its end, and an idle time that is longer, stand out; so does who just came. */
const NEAR_END = 600_000;
const LONG_IDLE = 300_000;
const JUST_CAME = 10_000;

export function sessionCells(state: State, line: Line<Session>, dead: boolean): Record<SessionCell, Cell> {
  const { id, user, role, details } = line.item;
  const said = state.asked.said.get(id);
  return {
    session: cell(visible(id)),
    user: cell(visible(user)),
    role: cell(visible(role ?? '')),
    node: nodeCell(line.item, dead),
    ip: cell(visible(details?.ip ?? '')),
    conn: connectedCell(state, line.item),
    idle: details ? idleCell(state, said) : cell(''),
    ttl: ttlCell(state, line),
    subs: fact(line.item, said?.live.subscriptions),
    recv: fact(line.item, said?.live.recvCount),
    sent: fact(line.item, said?.live.sendCount),
    stomp: cell(visible(details?.version ?? '')),
    agent: cell(visible(shortAgent(details?.userAgent ?? ''))),
  };
}

export function detailsView(state: State): DetailsView | null {
  const line = state.place.details;
  if (!line) return null;
  const { id, user, role, details } = line.item;
  const dead = deadness(state)(line.item);
  const said = state.asked.said.get(id);
  const live = said?.live;
  const outcome = state.outcomes.get(id)?.outcome;
  const field = (name: string, value: Cell) => ({ name, value });
  const own = details
    ? [
        field('node', nodeCell(line.item, dead)),
        field('process', cell(visible(details.incarnation), 'dim')),
        field('address', cell(visible(`${details.ip}:${details.port}`))),
        field('connected', cell(`${connectedCell(state, line.item).text} ago, ${rfc3339(details.connectedAt)}`)),
        field('idle', idleCell(state, said)),
        field('stomp', cell(visible(details.version))),
        field('agent', cell(visible(details.userAgent ?? ''))),
        field('received', live ? cell(`${thousands(live.recvCount)}, ${thousands(live.recvOctets)} B`) : UNKNOWN),
        field('sent', live ? cell(`${thousands(live.sendCount)}, ${thousands(live.sendOctets)} B`) : UNKNOWN),
        field('subscriptions', live ? cell(thousands(live.subscriptions)) : UNKNOWN),
        ...(live?.destinations ?? []).map((destination) => field('', cell(visible(destination)))),
      ]
    : [field('node', cell('none: another program wrote this session and has its socket', 'dim'))];
  return {
    id: visible(id),
    gone: line.gone,
    dead,
    fields: [
      ...(line.gone ? [field('ended', cell(`seen ${age(state.now - line.seenAt)} ago for the last time`, 'bad'))] : []),
      ...(outcome ? [field('outcome', outcomeCell(outcome))] : []),
      field('session', cell(visible(id))),
      field('user', cell(visible(user))),
      field('role', cell(visible(role ?? ''))),
      field('ttl', ttlCell(state, line)),
      ...own,
    ],
  };
}

function nodeCell({ details }: Session, dead: boolean): Cell {
  if (!details) return cell(NO_NODE, 'dim');
  return dead ? cell(`${visible(details.node)} (dead)`, 'bad') : cell(visible(details.node));
}

function connectedCell({ now, clockOffset }: State, { details }: Session): Cell {
  if (!details) return cell('');
  const since = now + clockOffset - details.connectedAt;
  return cell(age(since), since < JUST_CAME ? 'good' : 'plain');
}

/** Counted on from what its node said. */
function idleCell({ now }: State, said: Said | undefined): Cell {
  if (!said) return UNKNOWN;
  const idle = said.live.idle + Math.max(0, now - said.at);
  return cell(age(idle), idle >= LONG_IDLE ? 'aging' : 'plain');
}

function ttlCell({ now }: State, { item, seenAt, gone }: Line<Session>): Cell {
  if (gone) return cell('');
  if (item.ttl === null) return cell('none', 'aging');
  const left = item.ttl - Math.max(0, now - seenAt);
  return cell(age(left), left < NEAR_END ? 'aging' : 'plain');
}

function fact({ details }: Session, value: number | undefined): Cell {
  if (!details) return cell('');
  return value === undefined ? UNKNOWN : cell(thousands(value));
}
