/** What the walks and the nodes bring: pure. */
import type { News } from '../actions.ts';
import { orderOf } from '../order.ts';
import { isScanned, questionKey } from '../questions.ts';
import type { Said, State } from '../state.ts';
import { put } from '../table.ts';
import { lineOf } from './frames.ts';

type Of<Type extends News['type']> = Extract<News, { type: Type }>;

/** Milliseconds after which what a node said is no longer shown. */
const SAID_LASTS = 15_000;
/** Sessions of which it is kept what nodes said. */
const MOST_SAID = 3000;

export function onScan(state: State, news: Of<'scan'>): State {
  const { question, scanned, listed, matched, running, ended, lines } = news;
  if (!isScanned(state) || question !== questionKey(state)) return state;
  const wasWhole = state.scan?.question === question && state.scan.whole;
  const whole = ended || wasWhole;
  const asked = { ...state.asked, said: withSaid(state, news.said, news.at) };
  const scan = { question, scanned, listed, matched, whole, running };
  const next: State = { ...state, now: news.at, asked, scan };
  if (!lines) return next;
  const order = orderOf(state.sort, asked.said);
  const [from, to, total] = [0, lines.length, lines.length];
  const stretch = {
    lines,
    from,
    to,
    total,
    chooses: whole && (!wasWhole || state.sessions.lines.length === 0),
    missing: 'kept',
  } as const;
  const sessions = put(state.sessions, { ...stretch, compare: (a, b) => order(a.item, b.item) }, state.height);
  return { ...next, sessions };
}

export function onSurvey(state: State, { at, foreign, users, orphans, sample, ended }: Of<'survey'>): State {
  const lines = sample.map((session, rank) => lineOf(session.id, session, rank, at));
  return { ...state, foreign: { count: foreign, users, orphans, lines, partial: !ended } };
}

export function onSaid(state: State, { at, said, silent, denied }: Of<'said'>): State {
  const { asked } = state;
  const note =
    denied && !asked.denied
      ? { text: 'Redis takes no requests from this user: idle times and counters are not known', tone: 'bad' as const }
      : state.note;
  return { ...state, now: at, note, asked: { said: withSaid(state, said, at), silent, denied } };
}

/** With what was said now; what is too old goes, and beyond a bound the oldest. */
function withSaid({ asked }: State, said: ReadonlyMap<string, Said>, at: number): ReadonlyMap<string, Said> {
  if (said.size === 0 && asked.said.size === 0) return asked.said;
  const kept = [...asked.said].filter(([id, one]) => at - one.at < SAID_LASTS && !said.has(id));
  return new Map([...kept, ...said].slice(-MOST_SAID));
}
