/** Redis's clock, by which all nodes agree when a session ends. */

/** What TIME answered, as milliseconds since 1970. */
export function millisecondsOf(time: unknown): number {
  const [seconds, micros] = time as [string, string];
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
