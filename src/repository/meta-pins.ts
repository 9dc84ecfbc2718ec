/** Pins: points that retention never removes, until they are unpinned. */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

interface Pin extends MetaEntry {
  readonly pinned: boolean;
}

/** Of two runs that disagree at the same instant, the one that keeps the point wins. */
const PINS: MetaBook<Pin> = {
  kind: 'pins',
  parse: ({ time, pinned }) => (typeof pinned === 'boolean' ? { time: time as number, pinned } : undefined),
  merge: (a, b) => (a.time === b.time ? (a.pinned ? a : b) : a.time > b.time ? a : b),
};

/** The ids of all pinned points. */
export async function readPins(repository: Repository): Promise<ReadonlySet<Id>> {
  const pins = new Set<Id>();
  for (const [id, { pinned }] of await readMeta(repository, PINS)) if (pinned && isId(id)) pins.add(id);
  return pins;
}

/** Pins or unpins a point, on every storage that can be reached. Returns whether that changed anything. */
export async function setPin(repository: Repository, point: Id, pinned: boolean): Promise<boolean> {
  let changed = false;
  await updateMeta(repository, PINS, (pins, stamp) => {
    if ((pins.get(point)?.pinned ?? false) === pinned) return;
    pins.set(point, { time: stamp(point), pinned });
    changed = true;
  });
  return changed;
}
