/** The REST door: finds the route in the table, checks who knocks, turns errors into answers. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { asWssessError, WssessError } from '../../common/errors.ts';
import { safeJson } from '../../common/escape.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { checkOrigin } from '../doorkeeper.ts';
import { toOriginForm } from '../request-target.ts';
import { type ApiTokens, authorize, isGuarded, type Need } from './authority.ts';
import { HEALTH_ROUTES } from './health.ts';
import { sessionRoutes } from './session.ts';

export interface RestOptions {
  sessions: Sessions;
  /** Milliseconds: the TTL that a refresh gives a foreign session. */
  ttl: number;
  allMax: number;
  tokens: ApiTokens;
  /** It listens on loopback. */
  loopback: boolean;
  /** Why the server isn't ready, undefined when it is. */
  notReady(): string | undefined;
  fault(error: unknown): void;
}

export interface Answer {
  /** 200 unless said. */
  status?: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface Call {
  /** What stands in the path for each {name}, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
}

/** One line of the table: `{name}` in the path stands for one segment. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** Unless said a viewer for GET, an operator for the others. */
  needs?: Need;
  handle(call: Call, options: RestOptions): Promise<Answer> | Answer;
}

/** Makes the listener for http.createServer. */
export function restHandler(options: RestOptions): RequestListener {
  const routes = [...HEALTH_ROUTES, ...sessionRoutes(options)].map((route) => ({
    ...route,
    segments: route.path.split('/').slice(1),
  }));

  const door = { guarded: isGuarded(options.tokens), loopback: options.loopback };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    toOriginForm(request);
    checkOrigin(request, door);
    const { url = '/' } = request;
    const end = url.includes('?') ? url.indexOf('?') : url.length;
    const path = url.slice(0, end);
    const segments = path.split('/').slice(1);
    // The first that fits is the most exact: /api/session/all stands before /api/session/{sessionId}.
    const found = routes.find((route) => fits(route.segments, segments));
    if (!found) throw new WssessError('no_route', `there is no ${JSON.stringify(path)} here`);
    const here = routes.filter((route) => route.path === found.path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = here.find((one) => one.method === method);
    if (!route) {
      response.setHeader(
        'Allow',
        here.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : one.method)).join(', '),
      );
      throw new WssessError('bad_method', `${request.method} is not served here`);
    }
    authorize(request, response, route.needs ?? (route.method === 'GET' ? 'viewer' : 'operator'), options.tokens);
    return route.handle(
      { params: read(route.segments, segments), query: new URLSearchParams(url.slice(end)) },
      options,
    );
  };

  return (request, response) => {
    request.resume(); // no route has a body
    answer(request, response)
      .catch((error: unknown) => {
        const told = asWssessError(error);
        if (told.code === 'internal') options.fault(error);
        return { status: told.http, body: told.code === 'internal' ? HIDDEN : told };
      })
      .then(({ status = 200, body, headers }: Answer) => {
        const text = Buffer.from(safeJson(body));
        response.writeHead(status, {
          ...headers,
          'Content-Type': 'application/json; charset=utf-8',
          'Content-Length': text.length,
          'Cache-Control': 'no-store',
          'X-Content-Type-Options': 'nosniff',
        });
        response.end(text);
      })
      .catch(options.fault);
  };
}

/** What went wrong inside is for the log. */
const HIDDEN = new WssessError('internal', 'a fault of the server', { advice: 'Look at its log.' });

function fits(route: readonly string[], segments: readonly string[]): boolean {
  return (
    route.length === segments.length &&
    route.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
  );
}

function read(route: readonly string[], segments: readonly string[]): Record<string, string> {
  try {
    return Object.fromEntries(
      route.flatMap((part, i) => (part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[i]!)]] : [])),
    );
  } catch {
    throw new WssessError('bad_request', 'the path is not percent-encoded UTF-8');
  }
}
