/** What every channel does. */
import type { LookupAddress } from 'node:dns';
import type { Clock } from '../../base/clock.ts';
import type { Notice, Ping } from '../notice.ts';

export interface ChannelWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The name of this installation, for messages. */
  readonly source: string;
  /** All addresses of a host. Default: the system's. */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface Outgoing {
  /** The same for every attempt: receivers recognise a repetition by it. */
  readonly id: string;
  readonly content: Notice | Ping;
}

/**
 * Sends one message and resolves with what the receiver answered, in short. Throws `channel_failed` where trying again may help,
 * `channel_refused` where not; neither names a secret.
 */
export type Send = (outgoing: Outgoing, world: ChannelWorld) => Promise<string>;
