/** What a setting is: one row of the table in settings.ts. */

/** Milliseconds: as long as anything may be set to. */
export const TEN_YEARS = 3650 * 24 * 3_600_000;

/** How a setting is written, and what its value is once read. */
export interface Types {
  text: string;
  /** One of a few words: those of `choices`. */
  choice: string;
  /** Never shown, and in no flag: every user of the machine sees those in `ps`. */
  secret: string;
  /** A flag without an argument; as a variable true or false. */
  switch: boolean;
  /** Milliseconds. */
  duration: number;
  /** Two durations with a comma: [send, receive], in milliseconds. */
  durations: readonly [number, number];
  integer: number;
  /** Octets; `64k` and `1m` are 1,024-based. */
  bytes: number;
}

export interface Setting<T extends keyof Types = keyof Types> {
  /** Flag with its argument, as commander takes it; '' for a secret, which has none. */
  flag: string;
  variable: string;
  /** Name in `wssess config`, and one day in a context. */
  key: string;
  type: T;
  /** As one would write it; undefined: nothing unless named. */
  default: string | undefined;
  help: string;
  /** Of a secret: its bytes. */
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** What the pattern takes, in words: `a … of` these. */
  takes?: string;
  /** A good value, where there is no default to show. */
  example?: string;
  /** Of a choice: its words. */
  choices?: readonly string[];
}

export const setting = <T extends keyof Types, D extends string | undefined>(one: Setting<T> & { default: D }) => one;
