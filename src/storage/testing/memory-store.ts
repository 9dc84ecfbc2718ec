/** A storage in memory, for tests: it really stores, copies every byte in and out, and creates conditionally. */
import { Failure } from '../../base/failure.ts';
import { joinParts, type Parts, partList } from '../bytes.ts';
import { checkKey, checkPrefix } from '../keys.ts';
import type { ByteRange, ObjectInfo, ObjectStore, PutOptions } from '../object-store.ts';

const PAGE = 1000;

export interface MemoryStore extends ObjectStore {
  /** What is stored, for tests that look at it or spoil it behind the store's back. */
  readonly objects: Map<string, Uint8Array>;
}

export function memoryStore(name = 'memory'): MemoryStore {
  const objects = new Map<string, Uint8Array>();
  const enter = async (key: string, signal: AbortSignal | undefined) => {
    checkKey(key);
    signal?.throwIfAborted();
  };
  return {
    name,
    location: `memory:${name}`,
    objects,

    async put(key: string, parts: Parts, options: PutOptions = {}) {
      await enter(key, options.signal);
      if (options.ifAbsent && objects.has(key)) throw new Failure('object_exists', `${name}: ${key} exists already.`);
      objects.set(key, Uint8Array.from(joinParts(partList(parts))));
    },

    async get(key, range, options = {}) {
      await enter(key, options.signal);
      const bytes = objects.get(key);
      if (!bytes) throw new Failure('object_missing', `${name}: ${key} is not there.`);
      return cut(`${name}: ${key}`, bytes, range);
    },

    async stat(key, options = {}): Promise<ObjectInfo | undefined> {
      await enter(key, options.signal);
      const bytes = objects.get(key);
      return bytes && { key, size: bytes.byteLength };
    },

    async *list(prefix, options = {}) {
      checkPrefix(prefix);
      options.signal?.throwIfAborted();
      const found = [...objects].filter(([key]) => key.startsWith(prefix));
      for (let start = 0; start < found.length; start += PAGE) {
        yield found.slice(start, start + PAGE).map(([key, bytes]) => ({ key, size: bytes.byteLength }));
      }
    },

    async delete(key, options = {}) {
      await enter(key, options.signal);
      objects.delete(key);
    },

    async retain(key, _until, options = {}) {
      await enter(key, options.signal);
    },

    async close() {},
  };
}

function cut(label: string, bytes: Uint8Array, range: ByteRange = { offset: 0, length: bytes.byteLength }): Uint8Array {
  const end = range.offset + range.length;
  if (end > bytes.byteLength) {
    const text = `${label} has ${bytes.byteLength} bytes; bytes ${range.offset} to ${end} were asked for.`;
    throw new Failure('data_damaged', text);
  }
  return bytes.slice(range.offset, end);
}
