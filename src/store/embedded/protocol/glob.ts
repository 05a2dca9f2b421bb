/** Patterns of KEYS, SCAN MATCH and PSUBSCRIBE, as Redis' stringmatchlen(): `*`, `?`, `[a-z]`, `[^a]`, `\`. */

export function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where to go on when what follows the last star doesn't fit: one star is enough to remember, so no pattern is slow.
  let star = -1;
  let mark = 0;
  while (t < text.length || p < pattern.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
      continue;
    }
    const step = p < pattern.length && t < text.length ? one(pattern, p, text[t]!) : undefined;
    if (step?.fits) {
      p = step.next;
      t++;
    } else if (star >= 0 && mark < text.length) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  return true;
}

/** Does the one-character pattern at `p` fit, and where does the next begin? */
function one(pattern: string, p: number, char: string): { fits: boolean; next: number } {
  switch (pattern[p]) {
    case '?':
      return { fits: true, next: p + 1 };
    case '[':
      return oneOf(pattern, p + 1, char);
    case '\\':
      if (p + 1 < pattern.length) return { fits: pattern[p + 1] === char, next: p + 2 };
  }
  return { fits: pattern[p] === char, next: p + 1 };
}

function oneOf(pattern: string, from: number, char: string): { fits: boolean; next: number } {
  const negated = pattern[from] === '^';
  let p = negated ? from + 1 : from;
  let fits = false;
  for (; p < pattern.length && pattern[p] !== ']'; p++) {
    if (pattern[p] === '\\' && p + 1 < pattern.length) {
      p++;
      fits ||= pattern[p] === char;
    } else if (pattern[p + 1] === '-' && p + 2 < pattern.length) {
      const [low, high] = [pattern[p]!, pattern[p + 2]!].sort() as [string, string];
      fits ||= low <= char && char <= high;
      p += 2;
    } else fits ||= pattern[p] === char;
  }
  return { fits: fits !== negated, next: Math.min(p + 1, pattern.length) };
}
