/**
 * Frames to bytes: only the lines that changed are sent, each to its place. Nothing is scrolled and no screen is erased,
 * so that nothing flickers and nobody's scrollback is touched.
 */
import { displayWidth } from '../../output/width.ts';

const ESC = '\x1b[';
/** A terminal that knows it shows what is between at once. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;

export class Painter {
  #shown: readonly string[] = [];
  #known = false;

  /** What is on the screen is unknown: after a resize, after somebody else wrote there. */
  forget(): void {
    this.#known = false;
    this.#shown = [];
  }

  /** @returns what makes the screen show these lines; '' when it does */
  paint(lines: readonly string[], columns: number): string {
    let bytes = this.#known ? '' : `${ESC}H${ESC}J`;
    for (const [row, text] of lines.entries()) {
      if (text === this.#shown[row]) continue;
      // In the last column "erase to the end" would erase what was just written.
      const rest = displayWidth(text) < columns ? `${ESC}K` : '';
      bytes += `${ESC}${row + 1};1H${text}${rest}`;
    }
    if (lines.length < this.#shown.length) bytes += `${ESC}${lines.length + 1};1H${ESC}J`;
    this.#shown = [...lines];
    this.#known = true;
    return bytes === '' ? '' : `${BEGIN}${bytes}${END}`;
  }
}
