/** Which name somebody may have meant. */

/** Slips of the finger that are forgiven: a letter more, less or another, two in the wrong order. */
const MOST_SLIPS = 3;

/** The name that is nearest to what was typed; undefined when none is near. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = MOST_SLIPS + 1;
  for (const name of names) {
    const slips = distance(typed, name);
    if (slips < least) [best, least] = [name, slips];
  }
  return best;
}

/** How many slips lie between two words (Damerau and Levenshtein, each pair of letters swapped once). */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > MOST_SLIPS) return MOST_SLIPS + 1;
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, above] = [above, row];
  }
  return above[other.length]!;
}
