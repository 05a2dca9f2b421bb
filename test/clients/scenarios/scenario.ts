/** What a scenario is, and what all of them use. Knows no test runner: a browser runs them too. */
import type { Classic, Heard } from '../../helpers/classic.ts';
import { until, within } from '../../helpers/wait.ts';

/** What a scenario is given. */
export interface World {
  version: '1.0' | '1.1' | '1.2';
  /** Whom `connect` connects; their role may send to users. */
  user: string;
  /**
   * A character beyond the first plane; '' where the client cuts its text between two UTF-16 units, and would break that
   * one.
   */
  beyond: string;
  connect(): Promise<Classic>;
  /** A destination that nobody else uses. */
  topic(): string;
  queue(): string;
}

export interface Scenario {
  name: string;
  /** 1.0 has no NACK, and its ACK is for one message. */
  notIn10?: true;
  /** For clients that can send bytes. */
  bytes?: true;
  /** Its clients get an ERROR. */
  refused?: true;
  run(world: World): Promise<void>;
}

/** Runs one; no client may be told of an error that it doesn't expect. */
export async function play(scenario: Scenario, world: World): Promise<void> {
  const clients: Classic[] = [];
  const connect = async () => {
    const client = await world.connect();
    clients.push(client);
    return client;
  };
  await scenario.run({ ...world, connect });
  if (!scenario.refused)
    same(
      clients.flatMap(({ errors }) => errors),
      [],
    );
}

/** Throws unless both are the same, as JSON has it. */
export function same(actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`expected ${other?.slice(0, 1000)}, got ${one?.slice(0, 1000)}`);
}

/** Subscribes, and keeps what comes. */
export function listen(client: Classic, destination: string, headers: Record<string, string> = {}) {
  const heard: Heard[] = [];
  const subscription = client.subscribe(destination, (message) => void heard.push(message), { ...headers });
  return { heard, unsubscribe: () => subscription.unsubscribe(), bodies: () => heard.map(({ body }) => body) };
}

let receipts = 0;

/** What the client sent so far is done. */
export async function ready(client: Classic): Promise<void> {
  const id = `ready-${++receipts}`;
  const answered = client.receipt(id);
  client.send('/topic/ready', { receipt: id }, '');
  await within(answered);
}

/** Takes what waits in a queue, and then what is sent last: that is all there was. */
export async function hearsTheRest(client: Classic, queue: string, expected: string[]): Promise<void> {
  const rest = listen(client, queue);
  await until(() => rest.heard.length >= expected.length);
  client.send(queue, {}, 'end');
  await until(() => rest.bodies().includes('end'));
  same(rest.bodies(), [...expected, 'end']);
}
