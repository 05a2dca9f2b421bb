/** The course of a figure as a row of blocks. */
const BLOCKS = '▁▂▃▄▅▆▇█';
/** Points that a whole sparkline shows at least: three minutes of one every two seconds. */
const SPAN = 90;

/**
 * The last of a series in `width` columns, oldest first; a space where nothing is known. What hovers high up is drawn
 * from its lowest point, so that its course is seen; all else from zero.
 */
export function sparkline(series: readonly (number | null)[], width: number): string {
  if (width < 1) return '';
  const points = gathered(series, width);
  const known = points.filter((point) => point !== null);
  const high = Math.max(...known, 0);
  const low = Math.min(...known, high);
  const floor = low > high / 2 ? low : 0;
  const block = (point: number | null) => {
    if (point === null) return ' ';
    if (high === floor) return BLOCKS[high === 0 ? 0 : 3]!; // level
    return BLOCKS[Math.round(((point - floor) / (high - floor)) * (BLOCKS.length - 1))]!;
  };
  return points.map(block).join('').padStart(width);
}

/** At most `width` points: each the mean of as many as it takes, counted from the newest. */
function gathered(series: readonly (number | null)[], width: number): (number | null)[] {
  const each = Math.max(1, Math.round(SPAN / width));
  const points: (number | null)[] = [];
  for (let end = series.length; end > 0 && points.length < width; end -= each) {
    const some = series.slice(Math.max(0, end - each), end).filter((point) => point !== null);
    points.unshift(some.length === 0 ? null : some.reduce((sum, point) => sum + point, 0) / some.length);
  }
  return points;
}
