/** What a check finds, before it is known which points it hurts. */
import { asFailure, type Failure } from '../../base/failure.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { CONFIG_KEY } from '../keys.ts';
import type { DamageKind } from '../meta-damage.ts';
import type { Replica } from '../replicas.ts';

export interface Fault {
  readonly key: string;
  readonly what: DamageKind;
  readonly detail: string;
}

/**
 * What an error while reading one object means: a fault of the object, or (thrown) of the whole storage. A storage that still gives its
 * config works; then the object alone is unreadable.
 */
export async function faultOf(error: unknown, replica: Replica, key: string, options: CallOptions): Promise<Fault> {
  options.signal?.throwIfAborted();
  const failure = asFailure(error);
  if (failure.code === 'object_missing') return { key, what: 'missing', detail: 'is not there' };
  if (failure.code === 'data_damaged') return { key, what: 'size', detail: 'is cut short' };
  if (!isAboutStorage(failure)) throw failure;
  const works = await replica.store.get(CONFIG_KEY, undefined, options).then(
    () => true,
    () => false,
  );
  if (!works) throw failure;
  return { key, what: 'unreadable', detail: failure.message };
}

function isAboutStorage({ code }: Failure): boolean {
  return code === 'storage_unreachable' || code === 'storage_refused' || code === 'storage_misbehaves';
}
