/** Redis over TLS, with certificates that openssl makes for the test. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { describeWithRedis, freePort, startRedis, type TestRedis } from './redis.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl && process.env.WSSESS_TEST_REQUIRE) throw new Error('openssl is not installed, and must be here');

/** `describe`, skipped and shown so where redis-server or openssl isn't installed. */
export const describeWithTls = hasOpenssl ? describeWithRedis : describe.skip;

/** A CA and what it signs, in a folder of its own. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'wssess-test-tls-'));
  /** Of the CA. */
  readonly ca = join(this.folder, 'ca.crt');

  constructor() {
    this.#openssl('req', '-x509', ...KEY, '-subj', '/CN=wssess test CA', '-keyout', 'ca.key', '-out', 'ca.crt');
  }

  /** @param names subjectAltName, like `DNS:localhost` @param days that it is valid */
  issue(file: string, names: string, days = 2): { cert: string; key: string } {
    writeFileSync(join(this.folder, `${file}.ext`), `subjectAltName=${names}\n`);
    this.#openssl('req', ...KEY, '-subj', `/CN=${file}`, '-keyout', `${file}.key`, '-out', `${file}.csr`);
    const by = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      String(days),
      '-extfile',
      `${file}.ext`,
    ];
    this.#openssl('x509', '-req', '-in', `${file}.csr`, ...by, '-out', `${file}.crt`);
    return { cert: join(this.folder, `${file}.crt`), key: join(this.folder, `${file}.key`) };
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe', timeout: 30_000 });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** No file of its own, no passphrase. */
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface TlsRedis extends TestRedis {
  tlsPort: number;
}

/** @param clients whether it wants to see a certificate of its clients */
export async function startTlsRedis(
  ca: string,
  { cert, key }: { cert: string; key: string },
  clients: 'yes' | 'no' = 'no',
): Promise<TlsRedis> {
  const tlsPort = await freePort();
  const own = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca];
  const redis = await startRedis('--tls-port', String(tlsPort), ...own, '--tls-auth-clients', clients);
  return { ...redis, tlsPort };
}
