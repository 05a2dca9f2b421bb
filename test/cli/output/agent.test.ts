import { describe, expect, it } from 'vitest';
import { shortAgent } from '../../../src/cli/output/agent.ts';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

describe('an agent string in a column', () => {
  it.each([
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`, 'Chrome 156, Windows'],
    [`Mozilla/5.0 (Windows NT 10.0) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`, 'Edge 156, Windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140, Linux'],
    [`Mozilla/5.0 (Linux; Android 14) ${WEBKIT} Chrome/150.0.0.0 Mobile Safari/537.36`, 'Chrome 150, Android'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1',
      'Safari 19, iOS',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15',
      'Safari 19, macOS',
    ],
  ])('%s', (agent, short) => expect(shortAgent(agent)).toBe(short));

  it('stays as it is when it is no known browser', () => {
    expect(shortAgent('stompjs on Node')).toBe('stompjs on Node');
    expect(shortAgent('')).toBe('');
  });
});
