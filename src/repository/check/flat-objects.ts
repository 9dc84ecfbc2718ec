/** Checks the objects of a storage that are named by their hash and are not packs: key files, index files, snapshots. */

import { hash } from 'node:crypto';
import { atOnce } from '../../base/at-once.ts';
import { asFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { decodeUnpackedBytes } from '../format/unpacked.ts';
import { type FlatKind, objectKey } from '../keys.ts';
import { inMask, type Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';
import { type Fault, faultOf } from './findings.ts';

const PARALLEL = 8;

/** Hashes and opens the storage's own copy of each object. */
export async function checkFlat(
  repository: Repository,
  replica: Replica,
  kind: 'index' | 'snapshots',
  presence: ReadonlyMap<Id, number>,
  options: CallOptions,
): Promise<Fault[]> {
  return collect(replica, kind, presence, options, (bytes, id) => {
    decodeUnpackedBytes(repository.openNamed(bytes, id));
  });
}

/** Hashes the storage's key files, and notes those that other storages have and this one lacks. */
export async function checkKeyFiles(
  replica: Replica,
  presence: ReadonlyMap<Id, number>,
  isRemoved: (id: Id) => boolean,
  options: CallOptions,
): Promise<Fault[]> {
  const faults = await collect(replica, 'keys', presence, options, (bytes, id) => {
    if (hash('sha256', bytes, 'hex') !== id) throw new Error('does not hash to its name');
  });
  for (const [id, mask] of presence) {
    if (inMask([replica], mask).length > 0 || isRemoved(id)) continue;
    faults.push({ key: objectKey('keys', id), what: 'missing', detail: 'other storages have this key file' });
  }
  return faults;
}

async function collect(
  replica: Replica,
  kind: FlatKind,
  presence: ReadonlyMap<Id, number>,
  options: CallOptions,
  accept: (bytes: Uint8Array, id: Id) => void,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  const held = [...presence].filter(([, mask]) => inMask([replica], mask).length > 0);
  await atOnce(PARALLEL, held, async ([id]) => {
    const key = objectKey(kind, id);
    let bytes: Uint8Array;
    try {
      bytes = await replica.store.get(key, undefined, options);
    } catch (error) {
      faults.push(await faultOf(error, replica, key, options));
      return;
    }
    try {
      accept(bytes, id);
    } catch (error) {
      faults.push({ key, what: 'damaged', detail: asFailure(error).message });
    }
  });
  return faults;
}
