/** Numbers as Redis prints them: C's `%.17g`. */
import { expect, it } from 'vitest';
import { formatDouble } from '../../../src/store/embedded/protocol/arguments.ts';

it.each([
  [0.1, '0.10000000000000001'],
  [2.5e-5, '2.5000000000000001e-05'],
  [0.0001, '0.0001'],
  [1e16, '10000000000000000'],
  [1e17, '1e+17'],
  [-1.5, '-1.5'],
  // Halfway between two: the even one.
  [1234567890123456 + 0.25, '1234567890123456.2'],
  [1234567890123456 + 0.75, '1234567890123456.8'],
  [-1234567890123456 - 0.25, '-1234567890123456.2'],
])('%d is %s', (value, text) => expect(formatDouble(value)).toBe(text));
