/** The dashboard as Ink sees it: a column of rows, drawn again when the state or the size is another one. */
import { Box, Text } from 'ink';
import { memo, useMemo, useSyncExternalStore } from 'react';
import type { Store } from './model/store.ts';
import { paced } from './pace.ts';
import { draw } from './screen/line.ts';
import { type Size, screenLines } from './screen.ts';
import { shownOf } from './shown.ts';
import { onSilence, silenceOf } from './silence.ts';

export interface AppProps {
  store: Store;
  colour: boolean;
  /** When a key was pressed last, as performance.now() counts. */
  keyAt(): number;
  size(): Size;
  /** Calls `changed` when the size is another one; returns what ends it. */
  onSize(changed: () => void): () => void;
}

export function App({ store, colour, keyAt, size, onSize }: AppProps) {
  const subscribe = useMemo(() => paced(store, keyAt), [store, keyAt]);
  const state = useSyncExternalStore(subscribe, store.get);
  const silence = useSyncExternalStore(onSilence, () => silenceOf(store.get(), Date.now()));
  const { columns, rows } = useSize(size, onSize);
  return <Screen lines={screenLines(shownOf(state, silence), { columns, rows }).map((line) => draw(line, colour))} />;
}

/** One Text a row: what is alike is not laid out again. */
export function Screen({ lines }: { lines: readonly string[] }) {
  return (
    <Box flexDirection="column">
      {lines.map((text, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Row key={row} text={text} />
      ))}
    </Box>
  );
}

const Row = memo(({ text }: { text: string }) => <Text wrap="truncate">{text === '' ? ' ' : text}</Text>);

function useSize(size: AppProps['size'], onSize: AppProps['onSize']): Size {
  const text = useSyncExternalStore(onSize, () => `${size().columns} ${size().rows}`);
  const [columns = 80, rows = 24] = text.split(' ').map(Number);
  return { columns, rows };
}
