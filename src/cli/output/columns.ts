export type Style = 'dim' | 'red' | 'yellow' | 'green' | 'bold';

/** One column of a table of `Row`s: what it is called, what stands in it, how it behaves when space is short. */
export interface Column<Row> {
  /** The header, upper case ASCII. */
  name: string;
  /** The cell's text, raw: the table makes control characters visible. '' is an empty cell. */
  value(row: Row): string;
  /** Left when absent. */
  align?: 'left' | 'right';
  /** Shown with `-o wide` only. */
  wide?: boolean;
  /** May be cut, with `…`, to fit the terminal. */
  shrink?: boolean;
  /** Stays when others are left out for want of space. */
  keep?: boolean;
  /** How the cell stands out on a terminal with colours. */
  style?(row: Row): Style | undefined;
}
