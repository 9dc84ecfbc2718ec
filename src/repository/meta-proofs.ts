/**
 * Proofs: what was really shown about a point, by whom it was shown per storage where that matters.
 *
 *   stored < checked (every object of it hashed, on every storage) < read (every blob decrypted and hashed) < restored < accepted
 *
 * `checked` and `read` hold for a point when every storage that holds it has them. Damage that a check found since takes a point back to
 * `stored` until it is healed, whatever was shown before.
 */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import { readDamage } from './meta-damage.ts';
import type { Repository } from './repository.ts';

export const PROOF_LEVELS = ['stored', 'checked', 'read', 'restored', 'accepted'] as const;
export type ProofLevel = (typeof PROOF_LEVELS)[number];

type Times = Readonly<Record<string, number>>;

interface Proof extends MetaEntry {
  /** Storage name → when (milliseconds since the epoch). */
  readonly checked: Times;
  readonly read: Times;
  /** When; 0 for never. */
  readonly restored: number;
  readonly accepted: number;
}

const PROOFS: MetaBook<Proof> = { kind: 'proofs', parse: parseProof, merge: mergeProofs };

const NONE: Proof = { time: 0, checked: {}, read: {}, restored: 0, accepted: 0 };

/** What is known about all points at one time. */
export class ProofBook {
  readonly #proofs: ReadonlyMap<string, Proof>;
  readonly #damaged: ReadonlySet<Id>;

  constructor(proofs: ReadonlyMap<string, Proof>, damaged: ReadonlySet<Id>) {
    this.#proofs = proofs;
    this.#damaged = damaged;
  }

  /** The proof of a point that `storages` (by name) hold. */
  level(point: Id, storages: readonly string[]): ProofLevel {
    const proof = this.#proofs.get(point);
    if (proof === undefined || this.#damaged.has(point)) return 'stored';
    if (proof.accepted > 0) return 'accepted';
    if (proof.restored > 0) return 'restored';
    const all = (times: Times) => storages.length > 0 && storages.every((name) => times[name] !== undefined);
    if (all(proof.read)) return 'read';
    return all(proof.checked) ? 'checked' : 'stored';
  }

  /** Whether some storage is known to hold a damaged copy of it. */
  isDamaged(point: Id): boolean {
    return this.#damaged.has(point);
  }

  /** When the point was last restored as a proof, in milliseconds since the epoch. */
  lastRestored(point: Id): number | undefined {
    const { restored, accepted } = this.#proofs.get(point) ?? NONE;
    return Math.max(restored, accepted) || undefined;
  }
}

export async function readProofs(repository: Repository): Promise<ProofBook> {
  const [proofs, damage] = await Promise.all([readMeta(repository, PROOFS), readDamage(repository)]);
  return new ProofBook(proofs, new Set(damage.flatMap(({ points }) => points)));
}

/** Records that these points, whole, were checked or read on a storage, or restored or accepted from anywhere. */
export type NewProof =
  | { readonly level: 'checked' | 'read'; readonly storage: string; readonly points: readonly Id[] }
  | { readonly level: 'restored' | 'accepted'; readonly points: readonly Id[] };

/** `exists` says which points are still there: what is known about others is dropped. */
export async function recordProofs(
  repository: Repository,
  proofs: readonly NewProof[],
  exists: (point: Id) => boolean = () => true,
): Promise<void> {
  await updateMeta(repository, PROOFS, (entries, stamp) => {
    for (const proof of proofs)
      for (const point of proof.points) entries.set(point, withProof(entries.get(point) ?? NONE, proof, stamp(point)));
    for (const point of [...entries.keys()]) if (!isId(point) || !exists(point)) entries.delete(point);
  });
}

function withProof(known: Proof, proof: NewProof, time: number): Proof {
  if (!('storage' in proof)) return { ...known, time, [proof.level]: time };
  const checked = { ...known.checked, [proof.storage]: time };
  return {
    ...known,
    time,
    checked,
    read: proof.level === 'read' ? { ...known.read, [proof.storage]: time } : known.read,
  };
}

function mergeProofs(a: Proof, b: Proof): Proof {
  return {
    time: Math.max(a.time, b.time),
    checked: mergeTimes(a.checked, b.checked),
    read: mergeTimes(a.read, b.read),
    restored: Math.max(a.restored, b.restored),
    accepted: Math.max(a.accepted, b.accepted),
  };
}

function mergeTimes(a: Times, b: Times): Times {
  const merged: Record<string, number> = { ...a };
  for (const [name, time] of Object.entries(b)) merged[name] = Math.max(merged[name] ?? 0, time);
  return merged;
}

function parseProof({ time, checked, read, restored, accepted }: Readonly<Record<string, unknown>>): Proof | undefined {
  return {
    time: time as number,
    checked: parseTimes(checked),
    read: parseTimes(read),
    restored: parseTime(restored),
    accepted: parseTime(accepted),
  };
}

function parseTimes(value: unknown): Times {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, time]) => parseTime(time) > 0));
}

function parseTime(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}
