/** The pictures of terminals: what stands where, and that nothing in it is markup. */
import { expect, test } from 'vitest';
import { toSvg } from '../../scripts/screen-to-svg.ts';

const texts = (screen: string) =>
  [...toSvg(screen, { columns: 40, rows: 2, title: 'a < b' }).matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)</g)].map(
    ([, x, text]) => [Math.round((Number(x) - 14) / 8.4), text],
  );

test('words stand in their columns, behind wide characters too', () => {
  expect(texts('ab  김철수 c\n\x1b[1md\x1b[0m')).toEqual([
    [0, 'ab'],
    [4, '김철수'],
    [11, 'c'],
    [0, 'd'],
  ]);
});

test('text is no markup, and the title is said', () => {
  expect(texts('<b>&')).toEqual([[0, '&#60;b&#62;&#38;']]);
  expect(toSvg('', { columns: 1, rows: 1, title: 'a < b' })).toContain('<title>a &#60; b</title>');
});

test('colours, and inverse ones', () => {
  const svg = toSvg('\x1b[32mgreen\x1b[39m \x1b[7mx\x1b[27m \x1b[38;5;196mred', { columns: 20, rows: 1, title: '' });
  expect(svg).toMatch(/fill="#7fc379"[^>]*>green</);
  expect(svg).toMatch(/fill="#16181d"[^>]*>x</);
  expect(svg).toMatch(/fill="rgb\(255,0,0\)"[^>]*>red</);
});
