import { describe, expect, it } from 'vitest';
import { negotiate } from '../../../src/server/stomp/versions.ts';

describe('negotiate (1.2 Protocol Negotiation)', () => {
  it.each<[string | undefined, string | undefined, string]>([
    [undefined, '1.0', 'a missing accept-version is 1.0'],
    ['1.0', '1.0', 'one version'],
    ['1.1,1.2', '1.2', 'the highest in common'],
    ['1.2,1.1,1.0', '1.2', 'order is irrelevant'],
    ['1.2,1.0,1.1', '1.2', 'order is irrelevant'],
    ['1.0,1.1,2.0', '1.1', 'the example of the specification'],
    [' 1.0 , 1.1 ', '1.1', 'spaces are tolerated'],
    ['2.0', undefined, 'none in common'],
    ['', undefined, 'an empty list has none in common'],
    [',,', undefined, 'empty entries are no versions'],
    ['1.20,11.1,v1.2', undefined, 'versions are compared whole'],
    ['constructor,__proto__', undefined, 'names of Object.prototype are no versions'],
  ])('%j gives %s: %s', (header, version) => {
    expect(negotiate(header)).toBe(version);
  });
});
