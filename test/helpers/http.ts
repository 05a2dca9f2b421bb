/** HTTP without a client that mends paths and headers on the way. */
import { request } from 'node:http';
import { within } from './wait.ts';

export interface Reply {
  status: number;
  headers: Record<string, string | undefined>;
  text: string;
  json(): any;
}

/** @param path goes out as it is, dots and all */
export function ask(port: number, path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Reply> {
  const reply = new Promise<Reply>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string | undefined>,
          text,
          json: () => JSON.parse(text),
        }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject).end();
  });
  return within(reply, 30_000, `${method} ${path}`);
}
