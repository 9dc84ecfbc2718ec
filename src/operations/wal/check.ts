/** The archive's part in `check`: every object of `wal/` is hashed on every storage. */

import { atOnce } from '../../base/at-once.ts';
import type { Id } from '../../base/ids.ts';
import { type CheckDepth, isRead } from '../../repository/check.ts';
import type { Damage } from '../../repository/meta-damage.ts';
import type { Replica } from '../../repository/replicas.ts';
import { listSnapshots } from '../../repository/snapshots.ts';
import type { Session } from '../session.ts';
import { damageOf, lackingOn, objectsOf, type WalObject } from './care.ts';
import { type ClusterNeeds, clusterNeeds } from './needs.ts';

export interface WalCheck {
  readonly objects: number;
  /** Bytes that were read and hashed. */
  readonly bytesRead: number;
}

const PARALLEL = 3;
const KEY_HASH = /\.([0-9a-f]{64})$/;

/** `storages`: those that were checked otherwise. */
export async function checkWal(session: Session, storages: ReadonlySet<string>, depth: CheckDepth) {
  const { repository } = session;
  const findings: Damage[] = [];
  const checked = new Map<string, WalCheck>();
  const replicas = repository.replicas.filter(({ name }) => storages.has(name));
  const clusters =
    replicas.length === 0 ? [] : await clusterNeeds(repository, await listSnapshots(repository), undefined, true);
  for (const replica of clusters.length === 0 ? [] : replicas) {
    const step = `wal-${replica.name}`;
    session.progress({ type: 'step', step, title: `Checking the WAL archive on ${replica.name}` });
    const outcome = await checkOne(session, replica, clusters, depth);
    findings.push(...outcome.findings);
    checked.set(replica.name, outcome);
    session.progress({ type: 'done', step, outcome: outcome.findings.length > 0 ? 'failed' : 'done' });
  }
  return { findings, checked };
}

/** Whether a check of this depth looked at the object of a key under `wal/`. */
export function looksAt(depth: CheckDepth, key: string): boolean {
  const name = KEY_HASH.exec(key)?.[1];
  return name === undefined ? depth.kind === 'hash' || depth.kind === 'read' : isRead(depth, name as Id);
}

async function checkOne(session: Session, replica: Replica, clusters: readonly ClusterNeeds[], depth: CheckDepth) {
  const findings: Damage[] = [];
  let objects = 0;
  let bytesRead = 0;
  for (const cluster of clusters) {
    const held = objectsOf(cluster).filter(({ mask }) => (mask & replica.bit) !== 0);
    objects += held.length;
    const looked = held.filter(({ key }) => looksAt(depth, key));
    await atOnce(PARALLEL, looked, async (object) => {
      const damage = await damageOf(session, replica, object);
      if (damage !== undefined) findings.push(damage);
      bytesRead += object.size;
      session.progress({ type: 'advance', step: `wal-${replica.name}`, bytes: bytesRead });
    });
    findings.push(...lackingOn(cluster, replica, false).map((object) => missing(replica, object)));
  }
  return { findings, objects, bytesRead };
}

function missing({ name }: Replica, { key }: WalObject): Damage {
  return {
    storage: name,
    key,
    what: 'missing',
    detail: 'other storages have it, and later log stands here',
    points: [],
  };
}
