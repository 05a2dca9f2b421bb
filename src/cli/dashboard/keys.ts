/** What keys do, one after the other, and when they do nothing: below, whatever could act on something nobody has seen. */
import type { Input } from './input.ts';
import { isActing, meaningOf } from './keymap.ts';
import type { Store } from './model/store.ts';
import { isTooSmall, type Size } from './screen.ts';
import { whereOf } from './shown.ts';

export interface KeysOptions {
  store: Store;
  size(): Size;
  /** Ctrl-Z. */
  stopProcess(): void;
}

/** Keys of one read beyond which it was no hand that pressed them: text that was pasted without brackets, most likely. */
const MOST_AT_ONCE = 4;
/** Milliseconds for which a question is not answered: it must have been on the screen. */
const UNREAD = 100;

/** They mean the same whatever is on the screen. */
const WAYS_OUT: ReadonlySet<string> = new Set(['ctrl-c', 'ctrl-z']);

/** @returns is given what came at once */
export function keysFor({ store, size, stopProcess }: KeysOptions): (inputs: readonly Input[]) => void {
  let askedAt = Number.NEGATIVE_INFINITY;
  const isAsking = () => store.get().dialog?.kind === 'confirm';

  /** @returns whether keys that came along with it may follow */
  const press = (key: string, isBurst: boolean): boolean => {
    if (isTooSmall(size()) && !WAYS_OUT.has(key)) {
      if (key === 'q') store.dispatch({ type: 'quit' });
      return true;
    }
    const asking = isAsking();
    if (asking && !WAYS_OUT.has(key) && performance.now() - askedAt < UNREAD) return true;
    // One key after the other: what the next one means hangs on what this one did.
    const where = whereOf(store.get());
    if (isBurst && (isActing(key, where) || (where === 'confirm' && key === 'enter'))) return true;
    const meaning = meaningOf(key, where, store.get().setting.readOnly);
    if (meaning?.type === 'stopProcess') stopProcess();
    else if (meaning) store.dispatch(meaning);
    if (asking || !isAsking()) return true;
    askedAt = performance.now();
    return false;
  };

  return (inputs) => {
    const keys = inputs.flatMap((input) => (input.type === 'key' ? [input.key] : []));
    // A key that is held down comes in bursts as well.
    const isBurst = keys.length > MOST_AT_ONCE && new Set(keys).size > 1;
    let follows = true;
    for (const input of inputs) {
      if (input.type === 'paste') {
        if (follows && !isTooSmall(size())) paste(input.text, store);
      } else if (follows || WAYS_OUT.has(input.key)) {
        follows = press(input.key, isBurst) && follows;
      }
    }
  };
}

/** What is pasted is text where text is typed, and no key anywhere. */
function paste(text: string, store: Store): void {
  const where = whereOf(store.get());
  if (where !== 'filter' && where !== 'jump' && where !== 'confirm' && where !== 'reason') return;
  store.dispatch({ type: 'text', text: text.replace(/[\r\n\t]+/g, ' ') });
}
