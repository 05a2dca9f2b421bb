/** Waiting for a condition, never for a time. */

/**
 * Polls until `condition` gives something truthy, and returns it.
 * @param patience milliseconds, five times what is promised
 */
export async function until<T>(condition: () => T | Promise<T>, patience = 10_000, what = 'the condition'): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (performance.now() > end) throw new Error(`waited ${patience} ms in vain for ${what}`);
    await sleep(10);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** Rejects when `work` takes longer than `patience` ms. */
export function within<T>(work: Promise<T>, patience = 10_000, what = 'it'): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${patience} ms`)), patience);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
