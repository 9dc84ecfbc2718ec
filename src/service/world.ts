/** What a long-lived process of the service is given by the entry point. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { LiveConfiguration } from './live-configuration.ts';

export interface ServiceWorld {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `program`: the file that starts Holdfast, absolute. */
  readonly build: {
    readonly program: string;
    readonly version: string;
    readonly node: string;
    readonly platform: string;
  };
  readonly hostname: string;
  readonly configuration: LiveConfiguration;
  readonly log: Log;
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal;
}
