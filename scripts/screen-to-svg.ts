/**
 * A terminal's screen, as `tmux capture-pane -e` prints it, as an SVG picture. Words are placed by column and stretched
 * to their columns, so that whatever font the reader has, columns stand under each other.
 */
import stringWidth from 'string-width';

const CELL = { width: 8.4, height: 18, baseline: 13.5, font: 14 };
const MARGIN = 14;
const PAPER = '#16181d';
const INK = '#d5d9e0';
/** The 16 colours of a terminal: 0 to 7, and their bright ones. */
const COLOURS = (
  '#16181d #e06c75 #7fc379 #e0b45c #61a5ef #c678dd #4fb8c4 #d5d9e0 ' +
  '#7a8190 #ff7a85 #98e08f #ffd27a #84bdff #dc97f2 #72d5e0 #ffffff'
).split(' ');

interface Style {
  ink: string | undefined;
  paper: string | undefined;
  bold: boolean;
  dim: boolean;
  inverse: boolean;
  underline: boolean;
}

const PLAIN: Style = { ink: undefined, paper: undefined, bold: false, dim: false, inverse: false, underline: false };

export interface Picture {
  columns: number;
  rows: number;
  /** For those who don't see it. */
  title: string;
}

/** @param screen lines with SGR sequences (ECMA-48, 8.3.117); other sequences aren't in what tmux captures */
export function toSvg(screen: string, { columns, rows, title }: Picture): string {
  const width = columns * CELL.width + 2 * MARGIN;
  const height = rows * CELL.height + 2 * MARGIN;
  let style = PLAIN;
  const parts: string[] = [];
  screen
    .split('\n')
    .slice(0, rows)
    .forEach((line, row) => {
      let column = 0;
      // Odd pieces are the parameters of SGR sequences.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ESC is what they begin with
      line.split(/\x1b\[([\d;]*)m/).forEach((piece, i) => {
        if (i % 2 === 1) {
          style = styled(style, piece.split(';').map(Number));
        } else if (piece) {
          parts.push(run(piece, column, row, style));
          column += stringWidth(piece);
        }
      });
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${PAPER}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', 'Noto Sans Mono CJK KR', Menlo, Consolas, monospace" font-size="${CELL.font}" xml:space="preserve">
${parts.filter(Boolean).join('\n')}
</g>
</svg>
`;
}

/** The style after a sequence. */
function styled(before: Style, codes: number[]): Style {
  const style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(style, PLAIN);
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code === 39) style.ink = undefined;
    else if (code === 49) style.paper = undefined;
    else if (code === 38 || code === 48) {
      const colour = codes[i + 1] === 5 ? indexed(codes[i + 2]!) : `rgb(${codes.slice(i + 2, i + 5).join(',')})`;
      if (code === 38) style.ink = colour;
      else style.paper = colour;
      i += codes[i + 1] === 5 ? 2 : 4;
    } else if (code >= 30 && code < 38) style.ink = COLOURS[code - 30];
    else if (code >= 90 && code < 98) style.ink = COLOURS[code - 82];
    else if (code >= 40 && code < 48) style.paper = COLOURS[code - 40];
    else if (code >= 100 && code < 108) style.paper = COLOURS[code - 92];
  }
  return style;
}

/** A colour of the 256: the 16, a cube of 6 by 6 by 6, 24 greys. */
function indexed(index: number): string {
  if (index < 16) return COLOURS[index]!;
  if (index > 231) return `rgb(${[0, 0, 0].fill(8 + (index - 232) * 10).join(',')})`;
  const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level).join(',')})`;
}

/** Characters of one style, from a column on. */
function run(text: string, column: number, row: number, style: Style): string {
  const [ink, paper] = style.inverse
    ? [style.paper ?? PAPER, style.ink ?? INK]
    : [style.ink ?? INK, style.paper ?? undefined];
  const y = MARGIN + row * CELL.height;
  const size = `y="${y}" width="${across(stringWidth(text))}" height="${CELL.height}"`;
  const parts = paper ? [`<rect x="${at(column)}" ${size} fill="${paper}"/>`] : [];
  const looks =
    `fill="${ink}"` +
    (style.bold ? ' font-weight="bold"' : '') +
    (style.dim ? ' opacity="0.55"' : '') +
    (style.underline ? ' text-decoration="underline"' : '');
  // Each word by itself, and wide characters apart: not every viewer stretches, and no font is as wide as another.
  for (const { 0: word, index } of text.matchAll(WORDS)) {
    const x = at(column + stringWidth(text.slice(0, index)));
    const length = `textLength="${across(stringWidth(word))}" lengthAdjust="spacingAndGlyphs"`;
    parts.push(`<text x="${x}" y="${(y + CELL.baseline).toFixed(1)}" ${looks} ${length}>${escaped(word)}</text>`);
  }
  return parts.join('\n');
}

const WORDS =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]+|[^\s\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]+/g;
const escaped = (text: string): string => text.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
const across = (columns: number): string => (columns * CELL.width).toFixed(1);
const at = (column: number): string => (MARGIN + column * CELL.width).toFixed(1);
