/** The pure part of the model: details packed and read, ids that can be used, the published row. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Details,
  isUsableId,
  type Live,
  packDetails,
  type Session,
  toRow,
  unpackDetails,
} from '../../src/sessions/model.ts';
import { makeDetails } from '../helpers/floor.ts';

const text = fc.string({ unit: 'grapheme' });
const details: fc.Arbitrary<Details> = fc.record({
  node: text,
  incarnation: fc.stringMatching(/^[A-Za-z0-9_-]{16}$/),
  user: text,
  role: fc.option(text),
  ip: text,
  port: fc.nat(65_535),
  connectedAt: fc.integer({ min: 0, max: 8.64e15 }),
  version: text,
  userAgent: fc.option(text),
  ttl: fc.integer({ min: 1, max: 10 * 365 * 86_400_000 }),
});

const session = (over: Partial<Session> = {}): Session => ({
  id: 's1',
  user: 'kim',
  role: 'AGENT',
  ttl: 1000,
  details: makeDetails(),
  packed: '',
  ...over,
});

describe('details', () => {
  test('are read as they were packed, whatever is in them', () => {
    fc.assert(
      fc.property(details, (one) => {
        expect({ ...unpackDetails(packDetails(one)) }).toEqual({ ...one });
      }),
    );
  });

  test('are a JSON array in this order: others read it', () => {
    expect(packDetails(makeDetails())).toBe(
      '["n1","incarnation-0001","kim","AGENT","10.1.2.3",40001,1763761914123,"1.2","stompjs",86400000]',
    );
  });

  test('that a later version made longer are read all the same', () => {
    const longer = [...(JSON.parse(packDetails(makeDetails())) as unknown[]), 'more', { and: 'more' }];
    expect(unpackDetails(JSON.stringify(longer))).toEqual(makeDetails());
  });

  test.each(['', 'null', '{}', '[]', '[', '1', '"text"', '[null,null]', '{"length":10}'])(
    '%j is none: null',
    (packed) => {
      expect(unpackDetails(packed)).toBeNull();
    },
  );

  test('one field of another type: null, each field in turn', () => {
    const good = JSON.parse(packDetails(makeDetails())) as unknown[];
    for (const at of good.keys()) {
      for (const wrong of [{}, [], true, typeof good[at] === 'string' ? 1 : '1']) {
        expect(unpackDetails(JSON.stringify(good.with(at, wrong))), `${at}: ${JSON.stringify(wrong)}`).toBeNull();
      }
      const nullable = at === 3 || at === 8;
      expect(unpackDetails(JSON.stringify(good.with(at, null))) === null, `${at}: null`).toBe(!nullable);
    }
  });

  test('figures that no node writes: null, each at the edge of what one does', () => {
    const good = JSON.parse(packDetails(makeDetails())) as unknown[];
    const edges = [
      [1, ['incarnation-0001'], ['', 'incarnation-001', 'incarnation-00001', 'incarnation 0001', 'incarnation-00é1']],
      [5, [0, 65_535], [-1, 65_536, 0.5]],
      [6, [0, 8.64e15], [-1, 8.64e15 + 1, 0.5]],
      [9, [1, 8.64e15], [0, -1, 8.64e15 + 1, 0.5]],
    ] as const;
    for (const [at, ...[right, wrong]] of edges) {
      for (const one of right) expect([at, one, unpackDetails(JSON.stringify(good.with(at, one)))]).not.toContain(null);
      for (const one of wrong) expect([at, one, unpackDetails(JSON.stringify(good.with(at, one)))]).toContain(null);
    }
    const packed = packDetails(makeDetails());
    for (const wrong of ['1e300', '-0.1', 'NaN']) {
      for (const right of ['40001', '1763761914123', '86400000'])
        expect(unpackDetails(packed.replace(right, wrong)), `${right}: ${wrong}`).toBeNull();
    }
  });

  test('any figures: what is read can be acted on, and packs to the same', () => {
    const figure = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.constantFrom(0, -0, 1, -1, 65_536));
    fc.assert(
      fc.property(figure, figure, figure, (port, connectedAt, ttl) => {
        const read = unpackDetails(packDetails(makeDetails({ port, connectedAt, ttl })));
        const isPossible =
          [port, connectedAt, ttl].every(Number.isSafeInteger) &&
          port >= 0 &&
          port <= 65_535 &&
          connectedAt >= 0 &&
          connectedAt <= 8.64e15 &&
          ttl > 0 &&
          ttl <= 8.64e15;
        expect(read !== null).toBe(isPossible);
        if (read) expect(unpackDetails(packDetails(read))).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text, any JSON and any list of ten: no exception, and what is read can be shown', () => {
    const ten = fc.tuple(
      text,
      text,
      text,
      fc.option(text),
      text,
      ...Array(2).fill(fc.double()),
      text,
      fc.option(text),
      fc.double(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          ten.map((list) => JSON.stringify(list)),
        ),
        (packed) => {
          const read = unpackDetails(packed);
          if (read !== null) expect(typeof toRow(session({ details: read })).connected_at).toBe('string');
        },
      ),
      { numRuns: 1000 },
    );
    for (const time of ['1e300', '8.64e15', '8640000000000001', '-1', '0.5', '-8.65e15']) {
      const read = unpackDetails(packDetails(makeDetails()).replace('1763761914123', time));
      expect(() => toRow(session({ details: read })), time).not.toThrow();
    }
  });
});

describe('isUsableId', () => {
  test.each([
    'a',
    'abc123',
    '-',
    ' ',
    'two\nlines',
    '__proto__',
    '{tag}',
    '*',
    '한국어',
    '👩‍👧',
    'x'.repeat(512),
    '한'.repeat(170),
  ])('%j can be shown and acted on', (id) => expect(isUsableId(id)).toBe(true));
  test.each(['', ':', 'a:b', 'id:role', ':a', 'x'.repeat(513), '한'.repeat(171), 'not UTF-8 \ufffd'])(
    '%j can not',
    (id) => expect(isUsableId(id)).toBe(false),
  );
});

describe('toRow', () => {
  const KEYS =
    'session_id user role node ip port connected_at idle ttl user_agent version subscriptions rooms recv_cnt send_cnt recv_oct send_oct cause';
  const live: Live = {
    idle: 1499,
    subscriptions: 2,
    destinations: ['/topic/a'],
    recvCount: 3,
    sendCount: 4,
    recvOctets: 5,
    sendOctets: 6,
  };

  test('an own session that its node described: every published name, nothing else', () => {
    const row = toRow(session({ ttl: 86_399_600 }), live);
    expect(Object.keys(row).join(' ')).toBe(KEYS);
    expect(row).toEqual({
      session_id: 's1',
      user: 'kim',
      role: 'AGENT',
      node: 'n1',
      ip: '10.1.2.3',
      port: 40_001,
      connected_at: '2025-11-21T21:51:54.123Z',
      idle: 1,
      ttl: 86_400,
      user_agent: 'stompjs',
      version: '1.2',
      subscriptions: 2,
      rooms: [],
      recv_cnt: 3,
      send_cnt: 4,
      recv_oct: 5,
      send_oct: 6,
      cause: null,
    });
  });

  test('a foreign session: the same names, null for what nobody knows', () => {
    const row = toRow(session({ details: null, role: null, ttl: null }));
    expect(Object.keys(row).join(' ')).toBe(KEYS);
    const { session_id, user, rooms, ...rest } = row;
    expect([session_id, user, rooms]).toEqual(['s1', 'kim', []]);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
  });

  test('a session whose node was not asked: what only it knows is null, what it wrote is there', () => {
    expect(toRow(session())).toMatchObject({
      node: 'n1',
      idle: null,
      subscriptions: null,
      recv_cnt: null,
      send_oct: null,
    });
  });

  test.each([
    [0, 0],
    [499, 0],
    [500, 1],
    [1499, 1],
    [86_400_000, 86_400],
    [2_592_000_000, 2_592_000],
  ])('%i ms are %i s', (ms, seconds) => {
    expect(toRow(session({ ttl: ms })).ttl).toBe(seconds);
    // Not rounded: nobody has been idle for longer than connected.
    expect(toRow(session(), { ...live, idle: ms }).idle).toBe(Math.floor(ms / 1000));
  });

  test('the user is the one that the session key names, whatever its details say', () => {
    expect(toRow(session({ user: 'lee' })).user).toBe('lee');
  });
});
