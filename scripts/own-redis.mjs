/** A redis-server of one's own on a free port, for what is run by hand or by CI; it ends with the process. */
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';

/** @returns {Promise<{ url: string, cli: (...args: string[]) => string }>} */
export async function ownRedis() {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    console.error('error: redis-server is not installed. Install it: apt-get install redis-server.');
    process.exit(1);
  }
  const port = String(await freePort());
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  process.once('exit', () => server.kill('SIGKILL'));
  // Without a handler a signal ends the process with no `exit`.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const cli = (...words) => spawnSync('redis-cli', ['-p', port, ...words], { encoding: 'utf8' }).stdout.trim();
  while (cli('PING') !== 'PONG') {
    if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return { url: `redis://127.0.0.1:${port}`, cli };
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
