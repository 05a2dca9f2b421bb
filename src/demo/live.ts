/** The demo on a terminal: the crowd lives for as long as somebody looks at it. */
import type { Stage } from './stage.ts';

/**
 * Gathers the crowd, and lets it come and go while `look` looks on. Whoever has the most devices stays: somebody to look
 * for.
 * @param look resolves when enough was seen, and at the signal
 * @throws WssessError when a client can't connect
 */
export async function live({ crowd, over }: Stage, look: (over: AbortSignal) => Promise<void>): Promise<void> {
  await crowd.gather();
  if (over.aborted) return;
  crowd.mingle(crowd.mostDevices());
  await look(over);
}
