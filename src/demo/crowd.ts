/** The crowd: who is here, who comes, who leaves and how, and who says something. */
import { WssessError } from '../common/errors.ts';
import { below, type Device, devices, type Random } from './people.ts';
import { Visitor } from './visitor.ts';

export interface CrowdOptions {
  /** Where the server takes WebSockets. */
  url: string;
  /** How many are here, give or take a few. */
  size: number;
  random: Random;
}

/** What has happened since the crowd began. */
export interface Tally {
  arrived: number;
  /** By DISCONNECT. */
  left: number;
  /** Tabs closed without a word. */
  vanished: number;
  /** Thrown out by the server. */
  thrown: number;
  said: number;
  /** Could not connect. */
  refused: number;
}

/** Milliseconds between looks at what is due. */
const TICK = 100;
/** Seconds that one stays: long enough to be looked at. */
const STAY = 60;
/** Connecting at the same time. */
const ABREAST = 32;
/** For sockets to close by themselves at the end, in milliseconds. */
const PATIENCE = 2000;
/** One in so many that go closes the tab without a word. */
const VANISHING = 0.45;
const LINES = [
  '안녕하세요, 주문한 상품이 아직 안 왔어요.',
  '네, 확인해 드리겠습니다. 잠시만 기다려 주세요.',
  '배송지를 변경할 수 있을까요?',
  '결제가 두 번 된 것 같아요.',
  '처리되었습니다. 감사합니다 🙂',
  'Is anyone there?',
];

export class Crowd {
  readonly tally: Tally = { arrived: 0, left: 0, vanished: 0, thrown: 0, said: 0, refused: 0 };
  readonly #options: CrowdOptions;
  /** Devices that aren't connected. */
  readonly #away: Device[];
  readonly #here: Visitor[] = [];
  /** All that have a socket, those that are still connecting too. */
  readonly #sockets = new Set<Visitor>();
  /** Whose devices never leave by themselves. */
  #staying: string | undefined;
  #stay = STAY;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #moves = 0;
  #words = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    const { size, random } = options;
    // Twice as many as are here at a time, so that there is always somebody to come.
    this.#away = devices(2 * size + 20, random);
  }

  get here(): readonly Visitor[] {
    return this.#here;
  }

  /** The sessions of a user, as far as the crowd knows. */
  of(user: string): Visitor[] {
    return this.#here.filter(({ device }) => device.user === user);
  }

  /**
   * The first ones arrive, as many as the crowd is large.
   * @throws WssessError when one can't
   */
  async gather(): Promise<void> {
    let missing = this.#options.size;
    const arrive = async (): Promise<void> => {
      for (; missing > 0 && !this.#stopped; ) {
        missing--;
        await this.arrive(0);
      }
    };
    try {
      await Promise.all(Array.from({ length: ABREAST }, arrive));
    } catch (cause) {
      missing = 0;
      if (this.#stopped) return;
      const why = `client ${this.#here.length + 1} of ${this.#options.size} can't connect: ${(cause as Error).message}`;
      const advice = 'Try fewer --sessions, or let the process open more files (ulimit -n).';
      throw new WssessError('internal', why, { cause, advice });
    }
  }

  /**
   * One more arrives.
   * @param at which of those that are away
   * @throws Error when it can't connect
   */
  async arrive(at = below(this.#options.random, this.#away.length)): Promise<Visitor> {
    const [device] = this.#away.splice(at, 1);
    if (!device) throw new Error('everybody is here');
    const visitor = new Visitor(device, this.#options.url);
    this.#sockets.add(visitor);
    void visitor.closed.then(() => this.#gone(visitor));
    await visitor.connect();
    this.#here.push(visitor);
    this.tally.arrived++;
    return visitor;
  }

  /** The user with the most devices. */
  mostDevices(): string {
    const counts = new Map<string, number>();
    for (const { device } of this.#here) counts.set(device.user, (counts.get(device.user) ?? 0) + 1);
    return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0])[0];
  }

  /**
   * A user arrives who has no session, so that nobody is left when this one goes again.
   * @param except a user who isn't meant
   */
  async arriveNew(except: string): Promise<Visitor> {
    const users = new Set([except, ...this.#here.map(({ device }) => device.user)]);
    return this.arrive(this.#away.findIndex(({ user }) => !users.has(user)));
  }

  /**
   * From now on they come and go.
   * @param staying a user who doesn't go
   * @param stay seconds that one is here, on average
   */
  mingle(staying?: string, stay = STAY): void {
    this.#staying = staying;
    this.#stay = stay;
    this.#timer ??= setInterval(() => this.#tick(), TICK);
  }

  /** Nobody comes or goes any more. */
  settle(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** No more comes and goes; the server is about to close. */
  end(): void {
    this.#stopped = true;
    this.settle();
  }

  /** All sockets are closed: by the server, or else by force. */
  async dispersed(): Promise<void> {
    this.end();
    const all = [...this.#sockets];
    const force = setTimeout(() => {
      for (const visitor of all) visitor.destroy();
    }, PATIENCE);
    await Promise.all(all.map(({ closed }) => closed));
    clearTimeout(force);
  }

  #tick(): void {
    const { size, random } = this.#options;
    const perSecond = (rate: number) => (rate * TICK * (0.5 + random())) / 1000;
    const lacking = size - this.#here.length;
    // Each goes once and comes once. A crowd that was thrown out as a whole is back within seconds.
    this.#moves += perSecond(Math.min(40, Math.max(1, (2 * size) / this.#stay) + Math.max(0, lacking) / 5));
    for (; this.#moves >= 1; this.#moves--) {
      if (random() < 0.5 + lacking / (size / 5 + 6)) {
        this.arrive().catch(() => {
          if (!this.#stopped) this.tally.refused++;
        });
      } else this.#depart();
    }
    this.#words += perSecond(Math.min(200, size / 4 + 1));
    for (; this.#words >= 1; this.#words--) this.#talk();
  }

  /** Somebody goes, in one way or the other. */
  #depart(): void {
    const { random } = this.#options;
    const visitor = this.#here[below(random, this.#here.length)];
    if (!visitor || visitor.device.user === this.#staying || visitor.went) return;
    if (random() < VANISHING) visitor.vanish();
    else void visitor.leave();
  }

  #talk(): void {
    const { random } = this.#options;
    const visitor = this.#here[below(random, this.#here.length)];
    if (visitor?.device.habit !== 'talks' || !visitor.connected) return;
    visitor.say(LINES[below(random, LINES.length)]!);
    this.tally.said++;
  }

  #gone(visitor: Visitor): void {
    this.#sockets.delete(visitor);
    this.#away.push(visitor.device);
    const at = this.#here.indexOf(visitor);
    if (at < 0) return; // it never was connected
    this.#here.splice(at, 1);
    if (this.#stopped) return;
    this.tally[visitor.went ?? 'thrown']++;
  }
}
