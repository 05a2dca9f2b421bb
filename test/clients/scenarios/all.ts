/**
 * What every client does, whichever it is and wherever it runs: the scenarios of stompjs's own suite that need no feature
 * of one broker, written anew, and what people do beside them.
 */
import { ANSWERS } from './answers.ts';
import { MESSAGES } from './messages.ts';
import type { Scenario, World } from './scenario.ts';

/** Those that fit a client. @param bytes it can send bytes */
export const scenariosFor = (version: World['version'], bytes: boolean): Scenario[] =>
  [...MESSAGES, ...ANSWERS].filter(
    (scenario) => (bytes || !scenario.bytes) && (version !== '1.0' || !scenario.notIn10),
  );
