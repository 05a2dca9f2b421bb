/** How text stands out: by what it means, in the sixteen colours that every terminal's own theme makes readable. */

/**
 * `hurts` kicked, unreachable, gone · `ages` idle, stale, near its end · `fresh` just came, alive · `faint` old, foreign,
 * beside the point · `strong` what is looked for first · `key` what can be pressed · `here` where the cursor stands ·
 * `marked` what an act will be about.
 */
export type Look = 'hurts' | 'ages' | 'fresh' | 'faint' | 'strong' | 'key' | 'here' | 'marked' | 'name';

/** SGR parameters. No background is set: `here` turns text and background around, whatever they are. */
const SGR: Record<Look, { plain: readonly number[]; colour: readonly number[] }> = {
  hurts: { plain: [1], colour: [31] },
  ages: { plain: [], colour: [33] },
  fresh: { plain: [], colour: [32] },
  faint: { plain: [2], colour: [] },
  strong: { plain: [1], colour: [] },
  key: { plain: [1], colour: [36] },
  name: { plain: [], colour: [36] },
  here: { plain: [7], colour: [36] },
  marked: { plain: [1], colour: [35] },
};
const RESET = '\x1b[0m';

/** `text` with its looks as one SGR sequence before it; bold, dim and inverse are no colours, and stay without them. */
export function paint(text: string, looks: readonly Look[], colour: boolean): string {
  const codes = looks.flatMap((look) => [...SGR[look].plain, ...(colour ? SGR[look].colour : [])]);
  return codes.length === 0 || text === '' ? text : `\x1b[${codes.join(';')}m${text}${RESET}`;
}
