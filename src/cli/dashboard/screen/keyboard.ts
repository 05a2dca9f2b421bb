/** Reads the terminal's keys: bytes in whatever pieces they come. */
import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { type Input, InputParser } from '../input.ts';

/** Milliseconds after which Esc is the key, and not the beginning of another one. */
const ESC_ALONE = 50;
/** Milliseconds after which the end of a sequence does not come any more. */
const CUT_OFF = 500;

/** @param onRead what came at once; never empty. @returns ends the reading */
export function listen(stdin: ReadStream, onRead: (inputs: readonly Input[]) => void): () => void {
  const decoder = new StringDecoder('utf8');
  const parser = new InputParser();
  let timer: NodeJS.Timeout | undefined;
  const tell = (inputs: readonly Input[]) => {
    if (inputs.length > 0) onRead(inputs);
  };
  const read = (bytes: Buffer | string) => {
    clearTimeout(timer);
    tell(parser.push(typeof bytes === 'string' ? bytes : decoder.write(bytes)));
    const { waits } = parser;
    if (waits) timer = setTimeout(() => tell(parser.flush()), waits === 'esc' ? ESC_ALONE : CUT_OFF);
  };
  stdin.on('data', read);
  stdin.resume();
  return () => {
    clearTimeout(timer);
    stdin.off('data', read);
    stdin.pause();
    stdin.unref?.(); // or the process would wait for a last key
  };
}
