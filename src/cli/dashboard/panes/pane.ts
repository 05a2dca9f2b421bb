/** What a pane is to the frame: a title, and the columns of its table. It is given rows and fetches nothing. */
import type { Column } from '../components/columns.ts';
import type { SortName } from '../model/state.ts';

export interface PaneLook {
  title: string;
  columns: readonly Column[];
  /** Which column shows the arrow of a sort, and whether what stands in it gets larger (`up`) unless it is reversed. */
  sorted?: Readonly<Record<SortName, { cell: string; up: boolean }>>;
}
