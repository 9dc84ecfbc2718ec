/** The service's log: a line of JSON per entry on standard output, for whatever collects it to rotate and keep. */
import pino, { type DestinationStream, type Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { Log, LogFields } from '../base/log.ts';
import { redact, redactText } from './redact.ts';

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogOptions {
  readonly level: Level;
  readonly clock: Clock;
  /** Default: standard output. */
  readonly to?: DestinationStream;
}

export function serviceLog({ level, clock, to }: LogOptions): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
  };
  return wrap(to === undefined ? pino(options) : pino(options, to));
}

function wrap(logger: Logger): Log {
  const write =
    (level: Level) =>
    (message: string, fields: LogFields = {}) =>
      logger[level](redact(fields) as object, redactText(message));
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => wrap(logger.child(redact(fields) as object)),
  };
}
