/** Explains where what Redis lists and what living nodes own differ; else it asks nothing. */
import type { Progress } from '../../../../sessions/survey.ts';
import { Surveyor } from '../../../../sessions/surveyor.ts';
import type { State } from '../state.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';

/** Milliseconds between looks at how far it is. */
const LOOK_EVERY = 500;

const differs = ({ counts }: State): boolean => counts !== null && counts.own !== counts.listed;

/** Until `signal`. */
export async function surveyAll({ store, sessions, signal }: Context): Promise<void> {
  const surveyor = new Surveyor(sessions);
  const bell = new Bell(signal);
  let told: Told = NOTHING;
  try {
    while (!signal.aborted) {
      await bell.wait(LOOK_EVERY);
      const state = store.get();
      if (signal.aborted || state.link.state === 'stale' || !state.counts) continue;
      const found = differs(state) ? look(surveyor) : NOTHING;
      if (!found || found === told) continue;
      told = found;
      const { foreign, foreignUsers: users, orphans, sample, done: ended } = found;
      const ordered = sample.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      store.dispatch({ type: 'survey', at: Date.now(), foreign, users, orphans, sample: ordered, ended });
    }
  } finally {
    surveyor.stop();
  }
}

/** What is told of a survey. */
type Told = Pick<Progress, 'foreign' | 'foreignUsers' | 'orphans' | 'sample' | 'done'>;
const NOTHING: Told = { foreign: 0, foreignUsers: 0, orphans: 0, sample: [], done: true };

/** What it knows. It fails where Redis does, which the frames tell of. */
function look(surveyor: Surveyor): Progress | undefined {
  try {
    return surveyor.look();
  } catch (error) {
    expected(error);
    return undefined;
  }
}
