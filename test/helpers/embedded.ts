/** An embedded store of the test's own, with wssess's scripts. */
import { SCRIPTS } from '../../src/sessions/scripts.gen.ts';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../../src/store/embedded/server.ts';

export const PASSWORD = 'p@ss';

export function startStore(options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  return startEmbedded({ password: PASSWORD, scripts: SCRIPTS, ...options });
}
