/** `wssess top` as it is called; what it shows is tested in dashboard/ and e2e/. */
import { expect, test } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { fakeIo } from '../helpers/fake-io.ts';

test.each([
  ['rol:CUSTOMER', 'no field rol: there are user, role, node, ip; quote what has a colon'],
  ['user:', 'user: what is missing after it'],
  ['user:"kim', 'a quote is not closed'],
])('--filter %s is no filter: exit 2, and what the prompt would say', async (filter, why) => {
  const io = fakeIo({ env: { WSSESS_REDIS_URL: 'redis://127.0.0.1:1' } });
  expect(await run(['top', '--filter', filter], io)).toBe(2);
  expect(io.stderr()).toContain(why);
  expect(io.stdout()).toBe('');
});
