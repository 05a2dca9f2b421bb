/** What Ink puts on a terminal of a size. */
import { Text } from 'ink';
import { render } from 'ink-testing-library';
import type { ReactElement } from 'react';
import type { Size } from '../../../src/cli/dashboard/screen.ts';

export type Inked = ReturnType<typeof render> & { lines(): string[] };

/** The library's own terminal is always 100 columns wide. */
export function inkAt({ columns }: Pick<Size, 'columns'>, node: ReactElement): Inked {
  const it = render(<Text> </Text>);
  Object.defineProperty(it.stdout, 'columns', { value: columns });
  it.rerender(node);
  return { ...it, lines: () => plain(it.lastFrame() ?? '').split('\n') };
}

/** Without colours and the like. */
const plain = (text: string): string => text.replace(/\x1b\[[\d;]*m/g, '');

/** A measure of its own: 2 columns for Hangul and pictures, 1 for the rest, what is joined counts once. */
export function columnsOf(text: string): number {
  const wide = /[\u1100-\u115f\u3000-\u303e\u3131-\u318e\uac00-\ud7a3\uff01-\uff60\u{1f300}-\u{1faff}]/u;
  return [...new Intl.Segmenter().segment(text)].reduce((sum, { segment }) => sum + (wide.test(segment) ? 2 : 1), 0);
}
