/** Whole frames in, what changed out; nothing while the terminal is somebody else's. */
import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { Canvas } from '../../../../src/cli/dashboard/screen/canvas.ts';

function opened() {
  let sent = '';
  const stdout = Object.assign(new EventEmitter(), {
    columns: 10,
    rows: 3,
    write(bytes: string) {
      sent += bytes;
    },
  });
  const canvas = new Canvas(stdout as unknown as WriteStream);
  const taken = () => {
    const bytes = sent.replaceAll(/\x1b\[\?2026[hl]/g, '');
    sent = '';
    return bytes;
  };
  return { stdout, canvas, taken };
}

test('what is alike is not sent again', () => {
  const { canvas, taken } = opened();
  canvas.write('one\ntwo');
  expect(taken()).toBe('\x1b[H\x1b[J\x1b[1;1Hone\x1b[K\x1b[2;1Htwo\x1b[K');
  canvas.write('one\ntwo');
  expect(taken()).toBe('');
});

test('another size is told, and draws all anew', () => {
  const { canvas, stdout, taken } = opened();
  canvas.write('one');
  taken();
  const sizes: number[] = [];
  const end = canvas.onSize(() => {
    sizes.push(canvas.columns);
    canvas.write('one');
  });
  stdout.columns = 20;
  stdout.emit('resize');
  expect(sizes).toEqual([20]);
  expect(taken()).toBe('\x1b[H\x1b[J\x1b[1;1Hone\x1b[K');
  end();
  stdout.emit('resize');
  expect(sizes).toEqual([20]);
});

test('paused it sends nothing; again it sends all', () => {
  const { canvas, taken } = opened();
  canvas.write('one');
  taken();
  canvas.pause();
  canvas.write('two');
  expect(taken()).toBe('');
  canvas.again();
  expect(taken()).toBe('\x1b[H\x1b[J\x1b[1;1Htwo\x1b[K');
});

test('closed it listens to the terminal no more', () => {
  const { canvas, stdout } = opened();
  canvas.close();
  expect(stdout.listenerCount('resize')).toBe(0);
});

test('a size that was not told while it was stopped is asked for', () => {
  const { canvas, stdout, taken } = opened();
  canvas.write('one');
  canvas.pause();
  taken();
  const sizes: number[] = [];
  canvas.onSize(() => sizes.push(canvas.columns));
  Object.assign(stdout, {
    _refreshSize() {
      stdout.columns = 20;
      stdout.emit('resize');
    },
  });
  canvas.again();
  expect(sizes).toEqual([20]);
  expect(taken()).toMatch(/one/);
});
