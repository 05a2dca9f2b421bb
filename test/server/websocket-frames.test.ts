/**
 * What breaks WebSocket or HTTP itself: it ends in a close of that connection only, never in an exception of the process,
 * and leaves no socket behind.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { dropClients, frame } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { type FrameOptions, handshake, OPCODE, rawWebSocket, wsFrame } from '../helpers/raw-websocket.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

const { text, binary, continuation, close, ping } = OPCODE;
/** Fragments in a message, as docs/protocol.md has it. */
const MOST_FRAGMENTS = 16_384;
const CONNECT = frame('CONNECT', { 'accept-version': '1.2', host: 'localhost', userId: 'mallory' });

describeWithRedis('a hostile peer', () => {
  let redis: TestRedis;
  let serve: Serve;
  let neighbour: Talk;
  let sockets = 0;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--max-body', '64k', '--connect-timeout', '1s']);
  });
  beforeEach(async () => {
    neighbour = await talk(serve.ws, 'neighbour');
    await neighbour.sure('SUBSCRIBE', { id: '1', destination: '/topic/n' });
    sockets = open();
  });
  afterEach(async () => {
    // The process lives, says nothing, holds no socket more than before, and the neighbour is served.
    await until(() => open() <= sockets, 20_000, `the sockets of the test to be gone: ${sockets}`);
    await neighbour.sure('SEND', { destination: '/topic/n' }, 'still here');
    await neighbour.wait('MESSAGE');
    expect(serve.process.exitCode).toBeNull();
    expect(serve.stderr()).not.toMatch(/ at .*:\d+|Error/);
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  /** Sockets that the server has open. */
  const open = () => {
    const folder = `/proc/${serve.process.pid}/fd`;
    return readdirSync(folder).filter((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`).startsWith('socket:');
      } catch {
        return false; // closed since
      }
    }).length;
  };

  /** Sends bytes behind a CONNECT; the server tells why in an ERROR, and closes with a code. */
  const expectClose = async (bytes: Buffer, code: number) => {
    const peer = await rawWebSocket(serve.port, wsFrame(text, CONNECT));
    await until(() => peer.arrived().length > 0);
    peer.socket.write(bytes);
    expect(await within(peer.closed)).toBe(code);
    const frames = peer.arrived().map(({ payload }) => payload.toString());
    if (code === 1008) expect(frames[1]).toContain('too many fragments');
    expect([frames.length, frames[0], frames[1]]).toEqual([
      3,
      expect.stringMatching(/^CONNECTED\n/),
      expect.stringMatching(/^ERROR\n(.+\n)*cause:protocol_error\n/),
    ]);
  };

  const bad = Buffer.from([0xff]);
  const part = (opcode: number, payload: Buffer | string, options: FrameOptions = {}) =>
    wsFrame(opcode, payload, { fin: false, ...options });
  const closing = (code: number, reason: Buffer | string = '') => {
    const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
    payload.writeUInt16BE(code);
    return wsFrame(close, payload);
  };

  it.each<[string, Buffer, number]>([
    ...[1, 2, 4, 7].map((rsv): [string, Buffer, number] => [
      `reserved bits ${rsv}`,
      wsFrame(text, '\n', { rsv }),
      1002,
    ]),
    ...[3, 7, 11, 15].map((opcode): [string, Buffer, number] => [`opcode ${opcode}`, wsFrame(opcode, '\n'), 1002]),
    ['a frame without a mask', wsFrame(text, '\n', { masked: false }), 1002],
    ['a length beyond the limit', wsFrame(binary, '', { length: 16n << 20n }), 1009],
    ['a length of 2^53', wsFrame(binary, '', { length: 1n << 53n }), 1009],
    ['a length of 2^64 - 1', wsFrame(binary, '', { length: (1n << 64n) - 1n }), 1009],
    [
      'fragments beyond the limit',
      Buffer.concat(
        Array(40)
          .fill(part(binary, Buffer.alloc(1 << 16)))
          .map((one, i) => (i === 0 ? one : part(continuation, Buffer.alloc(1 << 16)))),
      ),
      1009,
    ],
    ['a continuation of nothing', wsFrame(continuation, '\n'), 1002],
    ['a message in a message', Buffer.concat([part(text, 'SE'), wsFrame(text, 'ND')]), 1002],
    ['a ping in fragments', part(ping, ''), 1002],
    ['a ping of 126 octets', wsFrame(ping, Buffer.alloc(126)), 1002],
    ['text that is no UTF-8', wsFrame(text, bad), 1007],
    ['text whose fragments are no UTF-8', Buffer.concat([part(text, '\n'), wsFrame(continuation, bad)]), 1007],
    ['a close of one octet', wsFrame(close, 'x'), 1002],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code): [string, Buffer, number] => [
      `a close with code ${code}`,
      closing(code),
      1002,
    ]),
    ['a close whose reason is no UTF-8', closing(1000, bad), 1007],
    ['100,000 empty fragments', Buffer.concat([part(text, ''), ...Array(99_999).fill(part(continuation, ''))]), 1008],
  ])('RFC 6455: %s has an ERROR, then the close', async (_, bytes, code) => {
    await expectClose(bytes, code);
  });

  it.each<[string, Buffer, number, RegExp]>([
    [
      'text that is no UTF-8',
      wsFrame(text, bad),
      1007,
      /^message:A WebSocket text message is not UTF-8 .*[\s\S]*\n\nSend /m,
    ],
    ['a length beyond the limit', wsFrame(binary, '', { length: 16n << 20n }), 1009, /larger than[\s\S]*\n\nSend /],
    [
      'a frame without a mask',
      wsFrame(text, '\n', { masked: false }),
      1002,
      /breaks RFC 6455\n[\s\S]*\n\nThe bytes are /,
    ],
  ])('what came before %s is still acted on, and has its receipts before the ERROR', async (_, broken, code, told) => {
    await neighbour.sure('SUBSCRIBE', { id: 'before', destination: '/topic/before' });
    const peer = await rawWebSocket(serve.port, wsFrame(text, CONNECT));
    await until(() => peer.arrived().length > 0);
    const names = Array.from({ length: 20 }, (_, i) => `r${i}`);
    const sends = names.map((receipt) =>
      wsFrame(text, frame('SEND', { destination: '/topic/before', receipt }, receipt)),
    );
    peer.socket.write(Buffer.concat([...sends, broken]));
    expect(await within(peer.closed)).toBe(code);
    const came = peer.arrived().filter(({ opcode }) => opcode !== close);
    const all = came.map(({ payload }) => payload.toString()).join('');
    expect([...all.matchAll(/^receipt-id:(.*)$/gm)].map(([, id]) => id)).toEqual(names);
    expect(all).toMatch(/\0ERROR\n[^\0]*\0$/);
    expect(all.slice(all.indexOf('ERROR'))).toMatch(told);
    await neighbour.wait('MESSAGE', names.length);
    expect(neighbour.frames('MESSAGE').map(({ body }) => body.toString())).toEqual(names);
    await neighbour.sure('UNSUBSCRIBE', { id: 'before' });
  });

  it('--max-headers, --max-header: the largest frame fits one message, and no setting lifts the limit of a message', async () => {
    const [many, huge] = await Promise.all([
      startServe(redis.url, ['--node', 'many', '--max-headers', '10000', '--max-header', '256', '--max-body', '0']),
      startServe(redis.url, ['--node', 'huge', '--max-headers', '2048', '--max-header', '1m']),
    ]);
    const lines = Array.from({ length: 9998 }, (_, i) => `${i}:`.padEnd(256, 'x'));
    const client = await talk(many.ws, 'cust01');
    client.send(['SEND', 'destination:/topic/a', 'receipt:largest', ...lines, '', '\0'].join('\r\n'));
    expect((await client.wait('RECEIPT')).header('receipt-id')).toBe('largest');
    client.socket.terminate();
    const peer = await rawWebSocket(huge.port, wsFrame(text, CONNECT));
    peer.socket.write(wsFrame(binary, '', { length: 3n << 30n }));
    expect(await within(peer.closed)).toBe(1009);
    await Promise.all([many.stop(), huge.stop()]);
  });

  it(`a message of ${MOST_FRAGMENTS} fragments is taken, with pings between them`, async () => {
    const peer = await rawWebSocket(serve.port, wsFrame(text, CONNECT));
    const send = frame('SEND', { destination: '/topic/x', receipt: 'whole' });
    const empty = Array(MOST_FRAGMENTS - 2).fill(part(continuation, ''));
    peer.socket.write(
      Buffer.concat([part(text, send.slice(0, 9)), wsFrame(ping, 'p'), ...empty, wsFrame(continuation, send.slice(9))]),
    );
    await until(() => peer.arrived().some(({ payload }) => payload.includes('receipt-id:whole')));
    expect(peer.arrived().some(({ opcode }) => opcode === OPCODE.pong)).toBe(true);
    peer.socket.destroy();
  });

  it('a flood of 100,000 pings and heart-beats takes nothing from the neighbour, and is answered', async () => {
    const peer = await rawWebSocket(serve.port, wsFrame(text, CONNECT));
    peer.socket.write(Buffer.concat(Array(100_000).fill(Buffer.concat([wsFrame(ping, 'p'), wsFrame(text, '\n')]))));
    await neighbour.sure('SEND', { destination: '/topic/other' });
    peer.socket.write(wsFrame(text, frame('SEND', { destination: '/topic/x', receipt: 'behind' })));
    await until(() => peer.arrived().some(({ payload }) => payload.includes('receipt-id:behind')), 20_000);
    peer.socket.destroy();
  });

  it('who goes in the middle of anything leaves nothing: reset, half-closed, or silent before CONNECT', async () => {
    const pieces = [
      '',
      wsFrame(text, CONNECT).subarray(0, 9),
      wsFrame(text, CONNECT.slice(0, 9)),
      wsFrame(text, CONNECT),
      Buffer.concat([wsFrame(text, CONNECT), wsFrame(binary, '', { length: 60_000n })]),
      Buffer.concat([wsFrame(text, CONNECT), part(text, 'SEND\n')]),
    ];
    const ways: ((peer: Awaited<ReturnType<typeof rawWebSocket>>) => void)[] = [
      ({ socket }) => socket.resetAndDestroy(),
      ({ socket }) => socket.end(),
      () => {},
    ];
    await Promise.all(
      pieces.flatMap((piece, i) =>
        ways.map(async (way, j) => {
          const peer = await rawWebSocket(serve.port, piece);
          way(peer);
          // Who has said CONNECT may be silent.
          if (j === 2 && i >= 3) peer.socket.destroy();
          await within(peer.closed, 10_000, `the end of ${i}, ${j}`);
        }),
      ),
    );
  });

  it('a CONNECT right behind the handshake is served; garbage there is closed', async () => {
    const good = await rawWebSocket(serve.port, wsFrame(text, CONNECT));
    await until(() => good.arrived()[0]?.payload.includes('CONNECTED'));
    good.socket.destroy();
    const garbage = await rawWebSocket(serve.port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await within(garbage.closed)).toBe(1002);
  });

  const host = 'Host: localhost\r\n';
  it.each<[string, string | Buffer, RegExp]>([
    ['a method that there is not', `BREW /api/session/all HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    ['TRACE', `TRACE /healthz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, /^HTTP\/1\.1 405 /],
    ['CONNECT', `CONNECT example.org:443 HTTP/1.1\r\n${host}\r\n`, /^$/],
    ['an upgrade by CONNECT', handshake().replace('GET /ws', 'CONNECT /ws'), /^(HTTP\/1\.1 400 |$)/],
    ['NUL in the path', `GET /healthz\0 HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    ['NUL in a header', `GET /healthz HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['NUL alone', Buffer.alloc(100), /^HTTP\/1\.1 400 /],
    ['a header of 100 kB', `GET /healthz HTTP/1.1\r\n${host}X: ${'x'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['10,000 headers', `GET /healthz HTTP/1.1\r\n${host}${'X: y\r\n'.repeat(10_000)}\r\n`, /^HTTP\/1\.1 431 /],
    ['a TLS hello', Buffer.from('16030100f5010000f10303', 'hex'), /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      `POST /healthz HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length and chunks',
      `POST /healthz HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['chunks that are none', `POST /nope HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, / 400 /],
    ['garbage behind a request', `GET /healthz HTTP/1.1\r\n${host}\r\n\0\x01garbage\r\n\r\n`, /^HTTP\/1\.1 (200|400) /],
    [
      'a request behind an upgrade that is refused',
      `${handshake().replace('/ws', '/nope')}GET /healthz HTTP/1.1\r\n\r\n`,
      / 404 /,
    ],
    [
      'the whole address of another host',
      `GET http://evil.example/ws HTTP/1.1\r\n${handshake().split('\r\n').slice(1).join('\r\n')}`,
      / 403 /,
    ],
    ['an address that is none', handshake().replace('/ws', '//\\..%00%ff'), /^HTTP\/1\.1 404 /],
    ['subprotocols that are none', handshake('Sec-WebSocket-Protocol: ,;\0\r\n'), /^HTTP\/1\.1 400 /],
    ['a subprotocol twice', handshake('Sec-WebSocket-Protocol: a, a\r\n'), /^HTTP\/1\.1 400 /],
    ['version 99', handshake().replace('Version: 13', 'Version: 99'), /^HTTP\/1\.1 400 /],
    ['a body in a handshake', `${handshake('Content-Length: 5\r\n')}hello`, /^HTTP\/1\.1 (101|400) /],
  ])('HTTP: %s has an answer or the close', async (_, bytes, answer) => {
    const got = new Promise<string>((resolve) => {
      let read = '';
      const socket = connect(serve.port, '127.0.0.1', () => socket.write(bytes));
      socket.setEncoding('latin1').on('data', (data: string) => {
        read += data;
      });
      socket.on('error', () => {}).on('close', () => resolve(read));
    });
    expect(await within(got)).toMatch(answer);
  });

  it('a peer that resets while its upgrade is ignored, refused or granted ends nobody else', async () => {
    const requests = [
      `GET /api/session/all HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
      handshake().replace('/ws', '/nope'),
      handshake().replace('13', '99'),
      handshake(),
    ];
    for (let i = 0; i < 200; i++) {
      const socket = connect(serve.port, '127.0.0.1').on('error', () => {});
      socket.write(requests[i % 4]!);
      // Before, while and after the server answers.
      const reset = () => socket.resetAndDestroy();
      if (i % 3 === 0) setTimeout(reset, i % 5);
      else if (i % 3 === 1) socket.once('connect', () => setImmediate(reset));
      else socket.once('data', reset);
      await new Promise((wake) => socket.once('close', wake));
    }
  });
});
