/** Who this process is among the nodes. */
import { hostname } from 'node:os';
import { newId } from '../common/ids.ts';
import { VERSION } from '../common/version.ts';
import type { NodeInfo } from '../sessions/nodes.ts';

/** What is no part of it, and changes. */
type Now = Omit<NodeInfo, 'name' | 'incarnation' | 'url' | 'host' | 'pid' | 'version' | 'started_at'>;

export class Identity {
  /** Another one each time it starts. */
  readonly incarnation = newId();
  readonly #startedAt = new Date().toISOString();
  /** As operators call it; '' before it listens. */
  node = '';
  /** Where it listens, as http:// URL; '' before. */
  url = '';

  /** It listens there. @param node undefined: the host name and the port */
  settle(host: string, port: number, node: string | undefined): void {
    this.url = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
    this.node = node ?? defaultName(port);
  }

  /** What the other nodes and operators see of it. */
  info(now: Now): NodeInfo {
    return {
      name: this.node,
      incarnation: this.incarnation,
      url: this.url,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      started_at: this.#startedAt,
      ...now,
    };
  }
}

function defaultName(port: number): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 50);
  return `${host || 'node'}-${port}`;
}
