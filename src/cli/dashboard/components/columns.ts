/** Columns of the dashboard's tables, and which of them a terminal has room for. */

/** A column; widths don't hang on what stands in it, so that nothing jumps while rows come and go. */
export interface Column {
  /** Name of the cell in the model's rows. */
  cell: string;
  title: string;
  /** Columns of the terminal: what it needs to be shown, and what it takes where there is room. */
  least: number;
  most: number;
  align?: 'left' | 'right';
  /** Cut in the middle: both ends of an id tell it from others. */
  cut?: 'middle';
}

export interface Fitted extends Column {
  width: number;
}

export const GAP = 2;

/** Those that fit, from the left; what is left over is shared among those that want more. */
export function fitColumns(columns: readonly Column[], width: number): Fitted[] {
  const shown: Fitted[] = [];
  let used = -GAP;
  for (const column of columns) {
    if (used + GAP + column.least > width && shown.length > 0) break;
    used += GAP + column.least;
    shown.push({ ...column, width: Math.min(column.least, width) });
  }
  let spare = width - used;
  while (spare > 0) {
    const wanting = shown.filter((column) => column.width < column.most);
    if (wanting.length === 0) break;
    for (const column of wanting.slice(0, spare)) {
      column.width++;
      spare--;
    }
  }
  return shown;
}
