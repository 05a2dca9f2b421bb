/** Between Ink and the terminal. */
import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { Painter } from './painter.ts';

/** What Ink takes for standard output: it is handed whole frames, and only what changed is sent on. */
export class Canvas extends EventEmitter {
  readonly #stdout: WriteStream;
  readonly #painter = new Painter();
  readonly #resized: () => void;
  #frame = '';
  #open = true;

  constructor(stdout: WriteStream) {
    super();
    this.#stdout = stdout;
    this.#resized = () => {
      this.#painter.forget(); // what the terminal made of the old frame at the new size, nobody knows
      this.emit('size');
      this.#paint(); // nothing, unless nobody had another frame for it
    };
    stdout.on('resize', this.#resized);
  }

  get columns(): number {
    return this.size().columns;
  }

  get rows(): number {
    return this.size().rows;
  }

  size(): { columns: number; rows: number } {
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  onSize(changed: () => void): () => void {
    this.on('size', changed);
    return () => this.off('size', changed);
  }

  write(frame: string): boolean {
    this.#frame = frame;
    this.#paint();
    return true;
  }

  /** Sends nothing until `again`. */
  pause(): void {
    this.#open = false;
  }

  /** Draws all anew: the screen shows something else. */
  again(): void {
    this.#open = true;
    // While it was stopped, a new size was told to the shell alone. This tells `resize` of it; Node has no public word.
    (this.#stdout as { _refreshSize?(): void })._refreshSize?.();
    this.#painter.forget();
    this.#paint();
  }

  close(): void {
    this.#stdout.off('resize', this.#resized);
  }

  #paint(): void {
    if (!this.#open) return;
    const { columns, rows } = this.size();
    // Between a resize and Ink's next frame the old one is still there.
    const bytes = this.#painter.paint(this.#frame.split('\n').slice(0, rows), columns);
    if (bytes !== '') this.#stdout.write(bytes);
  }
}
