/** The question before an act: how many, whom, and No unless one says otherwise. */
import { displayWidth, wrapToWidth } from '../../output/width.ts';
import type { ConfirmView } from '../model/views.ts';
import { cut, fill, type Line, line, span, spread, widthOf } from '../screen/line.ts';
import type { Look } from '../screen/looks.ts';
import { BOX_EDGES, boxLines } from './box.ts';
import { inputLine } from './prompt.ts';

const WIDEST = 72;
/** There is room for a reason. */
const NARROWEST = 46;

export function confirmBox(view: ConfirmView, width: number, height: number): Line[] {
  const warnings = view.warning.split('; ').filter(Boolean);
  const users = Math.min(24, Math.max(...view.whom.map(({ user }) => displayWidth(user)), 4));
  const widest = Math.max(...view.whom.map(({ session }) => displayWidth(session)), 7);
  const nodes = Math.min(16, Math.max(...view.whom.map(({ node }) => displayWidth(node)), 4));
  const wanted = Math.max(NARROWEST, users + widest + nodes + 4, ...warnings.map(displayWidth), view.yes.length + 38);
  const inside = Math.min(wanted, WIDEST, width - BOX_EDGES - 2);
  const ids = Math.min(inside - users - nodes - 4, widest);
  const wrapped = (text: string, look: Look) => wrapToWidth(text, inside).map((one) => line(span(one, look)));
  const warned = warnings.flatMap((text) => wrapped(text, 'ages'));
  const faults = view.reason?.fault ? wrapped(`✕ ${view.reason.fault}`, 'hurts') : [];
  const fixed = 5 + (view.reason ? 2 : 0) + warned.length + faults.length;
  const most = Math.max(1, Math.min(view.whom.length, height - fixed));
  const more = view.more + view.whom.length - most;
  const whom = view.whom
    .slice(0, most)
    .map(({ user, session, node }) =>
      cut(
        [
          ...fill([span(user, 'strong')], users),
          span('  '),
          ...fill([span(session)], ids),
          span('  '),
          ...cut([span(node, 'faint')], nodes),
        ],
        inside,
      ),
    );
  const button = (name: 'no' | 'yes', text: string) =>
    view.focus === name
      ? span(`[ ${text} ]`, 'here', 'strong', ...(name === 'yes' ? (['hurts'] as const) : []))
      : span(`  ${text}  `);
  const label = 'reason: ';
  const reason = view.reason && [
    [],
    line(
      span(label, view.focus === 'reason' ? 'key' : 'faint'),
      ...inputLine(view.reason, inside - label.length, '', view.focus === 'reason'),
    ),
    ...faults,
  ];
  const buttons = line(button('no', 'No'), '   ', button('yes', view.yes));
  const keys = line(span('tab', 'key'), span(' next  ', 'faint'), span('↵', 'key'), span(' choose', 'faint'));
  return boxLines({
    title: view.title,
    width: inside,
    look: view.act === 'kick' ? 'hurts' : 'key',
    lines: [
      ...whom,
      ...(more > 0 ? [line(span(`and ${more.toLocaleString('en-US')} more`, 'faint'))] : []),
      ...warned,
      ...(reason ?? []),
      [],
      widthOf(buttons) + widthOf(keys) < inside ? spread(keys, buttons, inside) : buttons,
    ],
  });
}
