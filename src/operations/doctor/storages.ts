/** Whether each storage can be reached, has room, and does what a repository needs. */
import { statfs } from 'node:fs/promises';
import { formatBytes } from '../../base/sizes.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { probeStore } from '../../storage/probe.ts';
import { type DoctorFinding, failed, good, problem, remark } from '../doctor-finding.ts';
import type { DoctorInput } from './input.ts';

/** Above this share of its space a storage is worth a remark; above the second it is a problem. */
const FILLING = 0.8;
const FULL = 0.95;

export async function storageFindings(input: DoctorInput): Promise<DoctorFinding[]> {
  const findings = await Promise.all(
    input.stores.map(async (entry) => {
      const about = `storage ${entry.name}`;
      if ('error' in entry) return [failed(about, entry.error)];
      const { store, localPath, objectLock } = entry.value;
      try {
        return [...(await guarantees(about, store, objectLock, input)), ...(await space(about, localPath))];
      } catch (error) {
        input.signal.throwIfAborted();
        return [failed(about, error)];
      }
    }),
  );
  return findings.flat();
}

async function guarantees(
  about: string,
  store: ObjectStore,
  objectLock: boolean,
  { clock, signal }: DoctorInput,
): Promise<DoctorFinding[]> {
  const probe = await probeStore(store, { clock, signal, objectLock });
  const missing = probe.guarantees.filter(({ held }) => !held);
  const findings = missing.map(({ needed, title, missing: meaning }) => {
    const what = `${store.location} does not guarantee that ${title}. ${meaning}`;
    return needed ? problem(about, what, 'Use another storage, or mend this one.') : remark(about, what);
  });
  return probe.usable
    ? [good(about, `${store.location} can be written, listed, read and deleted`), ...findings]
    : findings;
}

async function space(about: string, path: string | undefined): Promise<DoctorFinding[]> {
  if (path === undefined) return [];
  const { blocks, bavail, bsize } = await statfs(path);
  const used = blocks === 0 ? 0 : 1 - bavail / blocks;
  const figure = `${path} is ${Math.round(used * 100)} % full, ${formatBytes(bavail * bsize)} are free`;
  const mend = 'Make room, or let "holdfast prune" apply a shorter retention.';
  if (used >= FULL) return [problem(about, `${figure}.`, mend)];
  return [used >= FILLING ? remark(about, `${figure}.`, mend) : good(about, figure)];
}
