/** Whether an embedded store lives: its port is asked, since its process id may be another's by now, or a zombie's. */
import { connect } from 'node:net';
import type { State } from './state-file.ts';

/** Milliseconds that its answer may take. */
const PATIENCE = 1000;
const ANSWER = '+OK\r\n+PONG\r\n';

/** True while the store of this state runs; also while it is too busy to say so, or stopped (SIGSTOP). */
export async function isAlive(state: State): Promise<boolean> {
  return (await answers(state)) ?? runs(state.pid);
}

/** Undefined when something is there, and doesn't say what. */
function answers({ port, password }: State): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    const end = (answer: boolean | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, PATIENCE, undefined);
    socket.on('connect', () => {
      socket.write(`*2\r\n$4\r\nAUTH\r\n$${Buffer.byteLength(password)}\r\n${password}\r\n*1\r\n$4\r\nPING\r\n`);
    });
    socket.on('data', (text: string) => {
      heard += text;
      if (heard === ANSWER) end(true);
      else if (heard.startsWith('-ERR max number of clients')) end(undefined);
      else if (!ANSWER.startsWith(heard)) end(false);
    });
    socket.on('close', () => end(false));
    // Nothing listens, or it hung up; any other error is of this side, like too many open files.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE' ? false : undefined);
    });
  });
}

/** Whether there is a process of this id, whoever owns it. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
