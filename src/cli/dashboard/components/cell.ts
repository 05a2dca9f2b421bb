/** What the model says a text means, as looks and signs. */
import type { Cell, Tone } from '../model/views.ts';
import { type Span, span } from '../screen/line.ts';
import type { Look } from '../screen/looks.ts';

const LOOKS: Record<Tone, readonly Look[]> = {
  plain: [],
  dim: ['faint'],
  bad: ['hurts'],
  aging: ['ages'],
  good: ['fresh'],
};

export const looksOf = (tone: Tone): readonly Look[] => LOOKS[tone];

export const cellSpan = ({ text, tone }: Cell): Span => span(text, ...LOOKS[tone]);
