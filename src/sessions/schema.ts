/** The layout's version in Redis. */
import { WssessError } from '../common/errors.ts';
import type { Store } from '../store/store.ts';
import { type Keys, SCHEMA } from './keys.ts';

/** @throws WssessError `schema_newer` when a newer wssess has written here */
export async function ensureWritable(store: Store, keys: Keys): Promise<void> {
  checkSchema(await store.call<string | null>('GET', keys.schema));
}

/** @throws WssessError `schema_newer` for a version above ours; none at all is an empty Redis */
export function checkSchema(version: string | null): void {
  if (version === null || Number(version) <= SCHEMA) return;
  throw new WssessError('schema_newer', `the keys have layout ${JSON.stringify(version)}, this wssess knows ${SCHEMA}`);
}
