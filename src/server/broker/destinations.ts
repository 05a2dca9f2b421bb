/** What a destination means, to SEND and to SUBSCRIBE. Pure. */
import { quote } from '../stomp/protocol-error.ts';

/** Where a SEND goes. `name` is the destination that the receivers see. */
export type Target =
  | { kind: 'queue'; name: string }
  | { kind: 'topic'; name: string }
  | { kind: 'all'; name: string }
  | { kind: 'user'; user: string; name: string }
  | { kind: 'session'; session: string; name: string }
  | Unserved;

/** What a SUBSCRIBE is to: `own` is what is sent to this session, its user, or everyone. */
export type Source = { kind: 'topic' | 'queue' | 'own'; name: string } | Unserved;

interface Unserved {
  kind: 'unserved';
  /** The message of the ERROR. */
  why: string;
  /** What to do instead. */
  advice: string;
}

const SERVED = 'Use /topic/… or /queue/….';

/** Reads the destination of a SEND. */
export function parseTarget(destination: string): Target {
  const name = shared(destination);
  if (name) return name;
  const [, kind, id, rest] = /^\/(?:(user|session)\/([^/]+)|all)(\/queue\/.+)$/s.exec(destination) ?? [];
  if (rest === undefined) return unserved(destination);
  const own = `/user${rest}`;
  if (kind === undefined || id === undefined) return { kind: 'all', name: own };
  const decoded = decode(id);
  if (decoded === undefined) {
    return {
      kind: 'unserved',
      why: 'the id in the destination is not percent-encoded UTF-8',
      advice: 'Write % as %25.',
    };
  }
  return kind === 'user' ? { kind, user: decoded, name: own } : { kind: 'session', session: decoded, name: own };
}

/** Reads the destination of a SUBSCRIBE. What is addressed to others is nobody else's to read. */
export function parseSource(destination: string): Source {
  const name = shared(destination);
  if (name) return name;
  if (/^\/user\/queue\/./s.test(destination)) return { kind: 'own', name: destination };
  if (!/^\/(?:user|session|all)\//.test(destination)) return unserved(destination);
  return {
    kind: 'unserved',
    why: `the destination ${quote(destination)} can't be subscribed to`,
    advice: 'Subscribe to /user/queue/…: what is sent to this session, its user, or everyone arrives there.',
  };
}

/** What SEND and SUBSCRIBE name alike. */
function shared(name: string): { kind: 'topic' | 'queue'; name: string } | undefined {
  if (/^\/topic\/./s.test(name)) return { kind: 'topic', name };
  return /^\/queue\/./s.test(name) ? { kind: 'queue', name } : undefined;
}

function unserved(destination: string): Unserved {
  const app = destination.startsWith('/app/') ? 'An /app destination' : undefined;
  const later = destination === '/ws' ? 'The destination /ws' : app;
  if (later) return { kind: 'unserved', why: `${later} is not supported by this version of wssess`, advice: SERVED };
  return {
    kind: 'unserved',
    why: `the destination ${quote(destination)} is none of this server's`,
    advice: `${SERVED} SEND also takes /user/{userId}/queue/…, /session/{sessionId}/queue/… and /all/queue/…, SUBSCRIBE /user/queue/….`,
  };
}

function decode(id: string): string | undefined {
  try {
    return decodeURIComponent(id);
  } catch {
    return undefined;
  }
}
