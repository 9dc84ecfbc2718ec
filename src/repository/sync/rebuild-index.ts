/**
 * Brings packs back into an index that no index names: their own headers say what they hold. For a storage whose index was lost or is
 * damaged everywhere; leftovers of interrupted runs get indexed on the way, which costs the space they take already until the next prune.
 */
import { atOnce } from '../../base/at-once.ts';
import { isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { Inventory } from '../check/inventory.ts';
import type { PackEntry } from '../format/index-file.ts';
import { LENGTH_FIELD, MAX_HEADER_SIZE, packHeaderSize, parsePackHeader } from '../format/pack-header.ts';
import { objectKey } from '../keys.ts';
import { writeIndexes } from '../prune/write-index.ts';
import type { Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';

const PARALLEL = 8;
/** Read from the end at first; most headers fit. */
const TAIL = 64 * 1024;

/** Indexes the storage's unknown packs whose headers are whole. Returns how many those were. */
export async function rebuildIndex(
  repository: Repository,
  { replica, unknown }: Inventory,
  options: CallOptions,
): Promise<number> {
  const packs: PackEntry[] = [];
  await atOnce(PARALLEL, unknown, async ([id, size]) => {
    const entry = await readHeader(repository, replica, id, size, options);
    if (entry !== undefined) packs.push(entry);
  });
  await writeIndexes((json) => repository.sealUnpacked(json), replica, packs, options);
  return packs.length;
}

/** What the header says, or undefined when the pack does not end with a good one or its size does not fit. */
async function readHeader(
  { sealer }: Repository,
  { store }: Replica,
  id: Id,
  size: number,
  options: CallOptions,
): Promise<PackEntry | undefined> {
  if (size < LENGTH_FIELD) return undefined;
  const key = objectKey('data', id);
  const end = (length: number) => store.get(key, { offset: size - length, length }, options);
  try {
    const tail = Buffer.from(await end(Math.min(size, TAIL)));
    const length = tail.readUInt32LE(tail.length - LENGTH_FIELD);
    if (length > MAX_HEADER_SIZE || length + LENGTH_FIELD > size) return undefined;
    const needed = length + LENGTH_FIELD;
    const sealed = needed <= tail.length ? tail.subarray(-needed) : await end(needed);
    const blobs = parsePackHeader(sealer.open(sealed.subarray(0, length)));
    const expected = blobs.reduce((sum, blob) => sum + blob.length, packHeaderSize(blobs));
    return expected === size ? { id, blobs } : undefined;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return undefined;
  }
}
