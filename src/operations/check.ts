/** Checks what is stored, and remembers the outcome: damage for `sync` to heal, proofs for `points` to show. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type CheckDepth, type CheckReport, checkRepository, isRead } from '../repository/check.ts';
import { idOfKey } from '../repository/keys.ts';
import { type Damage, recordDamage } from '../repository/meta-damage.ts';
import { type NewProof, recordProofs } from '../repository/meta-proofs.ts';
import { bestEffort } from './best-effort.ts';
import type { Session } from './session.ts';
import { checkWal, looksAt, type WalCheck } from './wal/check.ts';

export type { CheckReport } from '../repository/check.ts';

export interface CheckInput {
  /** One storage; all when left out. */
  readonly storage?: string;
  /** Open every blob too: `true` for all packs, a percentage for a random sample. */
  readonly readData?: true | number;
  /** Draws the sample; a random one is taken, and told in the report, when left out. */
  readonly seed?: string;
}

export interface CheckOutcome extends CheckReport {
  /** By storage: what was looked at of the WAL archive; absent where there is none. */
  readonly wal: ReadonlyMap<string, WalCheck>;
}

export async function check(session: Session, input: CheckInput = {}): Promise<CheckOutcome> {
  const checked = await checkRepository(session.repository, {
    depth: depthOf(input),
    progress: session.progress,
    ...(input.storage === undefined ? {} : { storages: [input.storage] }),
  });
  const wal = await checkWal(session, new Set(checked.storages.keys()), checked.depth);
  const report = { ...checked, findings: [...checked.findings, ...wal.findings], wal: wal.checked };
  await bestEffort(session, 'The outcome of this check could not be recorded', () => remember(session, report));
  return report;
}

function depthOf({ readData, seed }: CheckInput): CheckDepth {
  if (readData === undefined) return { kind: 'hash' };
  if (readData === true || readData === 100) return { kind: 'read' };
  if (readData > 0 && readData < 100)
    return { kind: 'sample', percent: readData, seed: seed ?? randomBytes(4).toString('hex') };
  throw new Failure('usage', `${readData} % of the data cannot be read.`, {
    hint: 'Write a percentage from 1 to 100.',
  });
}

async function remember({ repository }: Session, report: CheckReport): Promise<void> {
  const { depth, findings, storages, points } = report;
  await recordDamage(repository, findings, (known) => isWhole(report, known));
  if (depth.kind !== 'hash' && depth.kind !== 'read') return;
  const level = depth.kind === 'read' ? 'read' : 'checked';
  const proofs = [...storages].map(([storage, { soundPoints }]): NewProof => ({ level, storage, points: soundPoints }));
  await recordProofs(repository, proofs, (point) => points.has(point) || storages.size === 0);
}

/** Whether this check looked at an object that was damaged before, deep enough to say that it is whole now. */
function isWhole({ depth, storages }: CheckReport, { storage, key, what }: Damage): boolean {
  if (!storages.has(storage)) return false;
  if (key.startsWith('wal/')) return looksAt(depth, key);
  if (what === 'content' && depth.kind === 'hash') return false;
  const id = key.startsWith('data/') ? idOfKey(key) : undefined;
  return id === undefined || isRead(depth, id);
}
