/** Who is in the crowd: names, roles, devices, and what each device does. Pure, and the same for the same seed. */

/** A number from 0 up to 1, the next one at each call. */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 up to `end`, without it. */
export const below = (random: Random, end: number): number => Math.floor(random() * end);
const pick = <T>(random: Random, among: readonly T[]): T => among[below(random, among.length)]!;

export type Role = 'AGENT' | 'CUSTOMER';
/** `talks`: sends messages. `listens`: heart-beats alone. `idles`: not even those. */
export type Habit = 'talks' | 'listens' | 'idles';

/** One device of one person: what becomes a session. */
export interface Device {
  user: string;
  role: Role;
  /** What its browser sends as User-Agent. */
  agent: string;
  habit: Habit;
  /** Destinations that it subscribes to; it talks in the first one. */
  topics: readonly string[];
}

/** How many of the crowd are agents, and how many agents share the rooms of one. */
const AGENTS = 0.15;
/** Customers that are known by a number, as in most systems; the others by a name. */
const NUMBERED = 0.3;
const ROOMS_OF_AN_AGENT = 3;
const FIRST_ORDER = 980;

/** At least so many devices, person after person: all devices of one stand together. */
export function devices(count: number, random: Random): Device[] {
  const all: Device[] = [];
  const names = new Set<string>();
  const rooms = Math.max(1, Math.ceil(count / 5));
  const room = () => `/topic/room/order-${FIRST_ORDER + below(random, rooms)}`;
  while (all.length < count) {
    const role: Role = random() < AGENTS ? 'AGENT' : 'CUSTOMER';
    const user = newName(role, names, random);
    // An agent looks after several rooms, a customer waits in one.
    const own = new Set(Array.from({ length: role === 'AGENT' ? ROOMS_OF_AN_AGENT : 1 }, room));
    const topics = [...own, '/topic/notice'];
    for (const agent of agentsOf(role, random)) {
      const luck = random();
      const habit: Habit = luck < 0.5 ? 'talks' : luck < 0.75 ? 'listens' : 'idles';
      all.push({ user, role, agent, habit, topics });
    }
  }
  return all;
}

function newName(role: Role, taken: Set<string>, random: Random): string {
  for (let attempt = 1; ; attempt++) {
    const numbered = role === 'CUSTOMER' && random() < NUMBERED;
    const base = numbered
      ? `cust${String(below(random, 10_000)).padStart(4, '0')}`
      : pick(random, SURNAMES) + pick(random, FIRST) + pick(random, SECOND);
    // There are 4,800 names: a large crowd has namesakes, who get a number.
    const name = attempt < 5 ? base : `${base}${attempt}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/** The browsers that somebody is on at the same time: one for most, up to three. */
function agentsOf(role: Role, random: Random): string[] {
  const luck = random();
  const desktop = () => pick(random, DESKTOPS);
  const phone = () => pick(random, PHONES);
  if (role === 'AGENT') return luck < 0.6 ? [desktop()] : [desktop(), luck < 0.85 ? desktop() : phone()];
  if (luck < 0.7) return [random() < 0.6 ? phone() : desktop()];
  return luck < 0.93 ? [phone(), desktop()] : [phone(), desktop(), pick(random, TABLETS)];
}

const SURNAMES = [...'김이박최정강조윤장임한오'];
const FIRST = [...'민서지하예도시수은현유준태다소가연승재채'];
const SECOND = [...'준연우윤현아진호린원은서율희영빈민경훈솔'];

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)';
const IPAD = 'Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K)';
const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const DESKTOPS = [
  `${WINDOWS} ${BLINK} Chrome/156.0.0.0 Safari/537.36`,
  `${WINDOWS} ${BLINK} Chrome/155.0.0.0 Safari/537.36`,
  `${WINDOWS} ${BLINK} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`,
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:158.0) Gecko/20100101 Firefox/158.0',
  `${MAC} ${BLINK} Chrome/156.0.0.0 Safari/537.36`,
  `${MAC} ${WEBKIT} Version/26.1 Safari/605.1.15`,
  `Mozilla/5.0 (X11; Linux x86_64) ${BLINK} Chrome/156.0.0.0 Safari/537.36`,
];
const PHONES = [
  `${ANDROID} ${BLINK} Chrome/156.0.0.0 Mobile Safari/537.36`,
  `${ANDROID} ${BLINK} SamsungBrowser/31.0 Chrome/148.0.0.0 Mobile Safari/537.36`,
  `${IPHONE} ${WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1`,
  `${IPHONE} ${WEBKIT} CriOS/156.0.7000.41 Mobile/15E148 Safari/604.1`,
];
const TABLETS = [
  `${IPAD} ${WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1`,
  `${ANDROID} ${BLINK} SamsungBrowser/31.0 Chrome/148.0.0.0 Safari/537.36`,
];
