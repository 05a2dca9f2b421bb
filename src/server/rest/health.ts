/** /healthz: the process; /readyz: Redis reached, lease held, not draining. */
import { WssessError } from '../../common/errors.ts';
import type { Route } from './rest.ts';

export const HEALTH_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/healthz', needs: 'nothing', handle: () => ({ body: { status: 'ok' } }) },
  {
    method: 'GET',
    path: '/readyz',
    needs: 'nothing',
    handle(_, { notReady }) {
      const why = notReady();
      if (why) throw new WssessError('not_ready', why);
      return { body: { status: 'ok' } };
    },
  },
];
