/** All that the server knows of the world; `src/service/` puts it together, tests bring their own. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import type { AccessControl } from './principal.ts';

export interface ServerDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** The configuration of now; another object after it was read again. */
  config(): Configuration;
  readonly build: { readonly version: string; readonly node: string; readonly platform: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly access: AccessControl;
  /** Fires when the server stops: streams end, nothing new begins. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
}

/** What one caller may take of the server. */
export interface Limits {
  /** Bytes of a request's body. */
  readonly body: number;
  /** ms until an answer that is no stream must be there. */
  readonly answer: number;
  /** ms in which some bytes of a body must come. */
  readonly idle: number;
  /** Streams of events at once. */
  readonly streams: number;
  /** Requests that read the repository at once; others wait. */
  readonly reads: number;
  /** Downloads at once; others wait. */
  readonly downloads: number;
  /** ms between two signs of life on a stream of events. */
  readonly heartbeat: number;
}

export const DEFAULT_LIMITS: Limits = {
  body: 1024 * 1024,
  answer: 120_000,
  idle: 60_000,
  streams: 1_000,
  reads: 4,
  downloads: 16,
  heartbeat: 15_000,
};
