/** How a socket is read: what counts as a sign of the client, and that nobody's octets keep the others waiting. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DataWatch } from '../../src/server/transport/reading.ts';
import { frame } from '../helpers/clients.ts';
import { OPCODE, rawWebSocket, wsFrame } from '../helpers/raw-websocket.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { sleep, until } from '../helpers/wait.ts';

const served = serveForFile(['--heart-beat', '0,300ms']);
const portOf = () => Number(new URL(served.ws).port);

it('RFC 6455, 5.2: octets of data frames are told from those of control frames, however they are cut', () => {
  const one = fc.record({
    opcode: fc.constantFrom(...Object.values(OPCODE)),
    length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
    masked: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }),
      (frames, cuts) => {
        const parts = frames.map(({ opcode, length, masked }) => {
          const bytes = wsFrame(opcode, Buffer.alloc(length), { masked });
          return { bytes, isData: opcode < 8, from: bytes.length - length };
        });
        // For each octet whether it is the payload of a data frame.
        const truth = parts.flatMap(({ bytes, isData, from }) =>
          Array.from({ length: bytes.length }, (_, i) => isData && i >= from),
        );
        const all = Buffer.concat(parts.map(({ bytes }) => bytes));
        const watch = new DataWatch();
        for (let [at, i] = [0, 0]; at < all.length; i++) {
          const end = Math.min(all.length, at + cuts[i % cuts.length]!);
          expect(watch.push(all.subarray(at, end))).toBe(truth.slice(at, end).includes(true));
          at = end;
        }
      },
    ),
    { numRuns: 20 },
  );
});

/** CONNECT with heart-beats every so many milliseconds; the margin makes it a second of silence more. */
async function connected(every: number) {
  const connect = frame('CONNECT', { 'accept-version': '1.2', host: 'x', userId: 'slow', 'heart-beat': `${every},0` });
  const peer = await rawWebSocket(portOf(), wsFrame(OPCODE.text, connect));
  const said = () =>
    peer
      .arrived()
      .map(({ payload }) => payload.toString())
      .join('');
  await until(() => said().includes('CONNECTED'), 10_000, 'CONNECTED');
  return { ...peer, said };
}

it('1.2 "Heart-beating": any data counts, also that of a message which takes long to come', async () => {
  const { socket, said } = await connected(300);
  const bytes = wsFrame(OPCODE.text, frame('SEND', { destination: '/topic/a', receipt: 'whole' }, 'x'.repeat(5000)));
  for (let at = 0; at < bytes.length; at += 200) {
    socket.write(bytes.subarray(at, at + 200));
    await sleep(150);
  }
  await until(() => said().includes('RECEIPT\nreceipt-id:whole'), 10_000, 'the receipt');
  socket.destroy();
});

it('pings and pongs are no sign of a STOMP client', async () => {
  const { socket, said, closed } = await connected(300);
  const beats = setInterval(() => {
    for (const opcode of [OPCODE.ping, OPCODE.pong]) socket.write(wsFrame(opcode, 'here'));
  }, 100);
  await until(() => said().includes('no heart-beat for'), 10_000, 'the ERROR');
  clearInterval(beats);
  expect(await closed).toBe(1002);
});

it('RFC 6455, 5.5.3: of pings that come at once the last is answered', async () => {
  const { socket, arrived } = await connected(0);
  const pings = Array.from({ length: 50_000 }, () => wsFrame(OPCODE.ping, 'more'));
  socket.write(Buffer.concat([...pings, wsFrame(OPCODE.ping, 'last')]));
  const pongs = () => arrived().filter(({ opcode }) => opcode === OPCODE.pong);
  await until(() => pongs().at(-1)?.payload.toString() === 'last', 20_000, 'the last pong');
  expect(pongs().length).toBeLessThan(5000);
  socket.destroy();
});
