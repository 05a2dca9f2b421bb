/** What `-o` takes. */
export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'name'] as const;

export type Format = (typeof FORMATS)[number];
