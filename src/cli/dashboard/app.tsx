/** The dashboard as Ink sees it: a column of rows, drawn again when the state or the size is another one, and the keys. */
import { Box, Text, useInput } from 'ink';
import { memo, useMemo, useRef, useSyncExternalStore } from 'react';
import { keysOf, PASTE } from './input.ts';
import { meaningOf } from './keymap.ts';
import type { Store } from './model/store.ts';
import { paced } from './pace.ts';
import { draw } from './screen/line.ts';
import { type Size, screenLines } from './screen.ts';
import { shownOf, whereOf } from './shown.ts';

export interface AppProps {
  store: Store;
  colour: boolean;
  size(): Size;
  /** Calls `changed` when the size is another one; returns what ends it. */
  onSize(changed: () => void): () => void;
  /** Ctrl-Z. */
  stopProcess(): void;
}

export function App({ store, colour, size, onSize, stopProcess }: AppProps) {
  const keyAt = useRef(0);
  const subscribe = useMemo(() => paced(store, () => keyAt.current), [store]);
  const state = useSyncExternalStore(subscribe, store.get);
  const { columns, rows } = useSize(size, onSize);
  const pasting = useRef(false);
  useInput((input, key) => {
    keyAt.current = performance.now();
    if (input === PASTE.begin || input === PASTE.end) {
      pasting.current = input === PASTE.begin;
      return;
    }
    // What is pasted is text where text is typed, and no key anywhere.
    const where = whereOf(store.get());
    if (pasting.current) return paste(input, where === 'confirm' ? 'reason' : where, store);
    for (const one of keysOf(input, key)) {
      // One key after the other: what the next one means hangs on what this one did.
      const meaning = meaningOf(one, whereOf(store.get()), store.get().setting.readOnly);
      if (meaning?.type === 'stopProcess') stopProcess();
      else if (meaning) store.dispatch(meaning);
    }
  });
  return <Screen lines={screenLines(shownOf(state), { columns, rows }).map((line) => draw(line, colour))} />;
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

function paste(text: string, where: string, store: Store): void {
  if (where !== 'filter' && where !== 'jump' && where !== 'reason') return;
  store.dispatch({ type: 'text', text: text.replace(/[\r\n\t]+/g, ' ') });
}
