/** STOMP 1.2 and 1.1, "Heart-beating". `no heart-beat for N ms` is what the server measured. */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { until } from '../helpers/wait.ts';
import { door, LATER, newTopic, send } from './door.ts';

/** Milliseconds: what the server can send, and what it wants. */
const OURS = 200;
/** What it lets a client be late at least. */
const MARGIN = 1000;

const { open, client } = door('--heart-beat', `${OURS}ms,${OURS}ms`);
const mute = door('--heart-beat', '0,0');

describe.each(LATER)('STOMP %s', (version) => {
  describe('Heart-beating', () => {
    const beating = (cx: number, cy: number) => client(version, { 'heart-beat': `${cx},${cy}` });
    /** Waits until a silent client was cut, and returns how long it was silent. */
    const silence = async (cx: number) => {
      const error = await refused(await beating(cx, 0), /^no heart-beat for \d+ ms$/, 1002, 'heartbeat');
      return Number(/\d+/.exec(error.header('message')!)![0]);
    };

    it('heart-beat contains two integers: what the server can send, and what it would like to get', async () => {
      const one = await beating(0, 0);
      expect(one.frames('CONNECTED')[0]!.header('heart-beat')).toBe(`${OURS},${OURS}`);
      const other = await mute.client(version);
      expect(other.frames('CONNECTED')[0]!.header('heart-beat')).toBe('0,0');
    });

    it('heart-beat MUST contain two integers separated by a comma: anything else is an ERROR', async () => {
      for (const header of ['1', 'x,y', '-1,0', '1.5,0', '1,2,3', '0, 0', '']) {
        const one = await open();
        one.say('CONNECT', { 'accept-version': version, userId: 'kim', 'heart-beat': header });
        await refused(one, /heart-beat header must be two integers/, 1002);
      }
    });

    it('there are none where the header is missing, which is 0,0, or either side says 0', async () => {
      const [missing, zero, onlyReceives, deaf] = await Promise.all([
        client(version),
        beating(0, 0),
        beating(0, 50),
        mute.client(version, { 'heart-beat': '50,50' }),
      ]);
      await Promise.all([silence(50), until(() => onlyReceives.beats() > 2, 10_000, 'heart-beats')]);
      // Longer than any silent client may be that agreed to send.
      for (const one of [missing, zero, onlyReceives, deaf]) await send(one, newTopic(), 'alive');
      expect([missing, zero, deaf].map((one) => one.beats())).toEqual([0, 0, 0]);
    });

    it('from the client: every MAX(cx,sy) ms, with an error margin; then it is considered dead: ERROR and close', async () => {
      const [ofServer, ofClient] = await Promise.all([silence(50), silence(4 * OURS)]);
      expect(ofServer).toBeGreaterThanOrEqual(OURS + MARGIN);
      expect(ofClient).toBeGreaterThanOrEqual(4 * OURS + MARGIN);
    });

    it('from the server: every MAX(sx,cy) ms, an EOL if there is no frame to send', async () => {
      const [ofServer, ofClient] = await Promise.all([beating(0, 50), beating(0, 4 * OURS)]);
      await until(() => ofServer.beats() >= 6 && ofClient.beats() >= 1, 10_000, 'heart-beats');
      expect(ofClient.beats()).toBeLessThan(ofServer.beats());
      for (const one of [ofServer, ofClient]) {
        expect(one.received().slice(one.received().indexOf('\0') + 1)).toMatch(/^\n+$/);
      }
    });

    it('any new data received is an indication that the remote end is alive', async () => {
      const [eols, halves, silent] = await Promise.all([beating(50, 0), beating(50, 0), beating(50, 0)]);
      halves.send(`SEND\ndestination:${newTopic()}\nreceipt:r\n\n`);
      const timer = setInterval(() => {
        eols.send('\n');
        halves.send('x');
      }, 50);
      try {
        await refused(silent, /no heart-beat/, 1002, 'heartbeat');
        halves.send('\0');
        await halves.wait('RECEIPT');
        await send(eols, newTopic(), 'alive');
      } finally {
        clearInterval(timer);
      }
    });
  });
});
