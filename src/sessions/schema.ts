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
  // As the scripts read it: to Number(), nothing and spaces are 0.
  if (version === null || (version.trim() !== '' && Number(version) <= SCHEMA)) return;
  throw new WssessError('schema_newer', `the keys have layout ${JSON.stringify(version)}, this wssess knows ${SCHEMA}`);
}
