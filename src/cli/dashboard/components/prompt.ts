/** A line of text being typed. */
import { visible } from '../../../common/escape.ts';
import { displayWidth } from '../../output/width.ts';
import type { InputView, PromptView } from '../model/views.ts';
import { fill, type Line, line, type Span, slice, span, spread, widthOf, wrap } from '../screen/line.ts';

const SIGNS = { filter: '/', jump: ':' } as const;
/** The first that there is room for. */
const HELP = {
  filter: ['words, user: role: node: ip:, * for anything   ↵ keep  esc undo', '↵ keep  esc undo'],
  jump: ['tab completes  ↵ go  esc back'],
} as const;
/** Lines of what is wrong. */
const MOST_LINES = 3;

/**
 * `/user:kim▏   words, user: role: node: ip: …`; what is wrong stands where the help was, or above where it has no room
 * there.
 */
export function promptLines({ kind, input, hint }: PromptView, width: number): Line[] {
  const left = line(' ', span(SIGNS[kind], 'key'));
  const room = width - widthOf(left) - 1;
  // The text keeps at least half of the line.
  const most = room - Math.min(Math.floor(room / 2), widthOf(typed(input)) + 1);
  const texts = input.fault === '' ? HELP[kind] : [`✕ ${input.fault}`];
  const look = input.fault === '' ? 'faint' : 'hurts';
  const fits = texts.find((one) => displayWidth(one) + 1 <= most);
  const shown = fits === undefined ? [] : line(span(`${fits} `, look));
  const above = input.fault !== '' && fits === undefined ? wrap(texts[0]!, width - 1, MOST_LINES) : [];
  const text = inputLine(input, room - widthOf(shown), hint);
  return [...above.map((one) => line(' ', span(one, look))), spread([...left, ...text], shown, width)];
}

/** The text in `width` columns, moved so that the caret is in sight. */
export function inputLine(input: InputView, width: number, hint = '', focused = true): Line {
  const whole = focused ? [...typed(input), ...(hint ? [span(hint, 'faint')] : [])] : [span(visible(input.text))];
  const caret = widthOf([span(visible(input.text.slice(0, input.caret)))]);
  const from = Math.max(0, caret + 1 - width);
  return fill(slice(whole, from, from + width), width);
}

/** The text with its caret turned around, as a terminal's own would be. */
function typed({ text, caret }: InputView): Span[] {
  const [at = ''] = [...new Intl.Segmenter().segment(text.slice(caret))].map(({ segment }) => segment);
  return [
    span(visible(text.slice(0, caret))),
    span(at === '' ? ' ' : visible(at), 'here'),
    span(visible(text.slice(caret + at.length))),
  ];
}
