/**
 * Recovers a restored copy that somebody will keep: with a server of ours, which is stopped at the end. Meanwhile the directory is in another
 * place, belongs to the server's account and says nothing of the original's configuration; afterwards it is as the original was, but for
 * archiving. The server leaves the disk alone, which halves the time of a long log: the directory comes to its place when all of it is on
 * the disk, so that whenever the power fails, what is there is whole.
 */
import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../base/sync-directory.ts';
import { giveTo, type ServerAccount } from '../postgres/account.ts';
import type { ServerPrograms } from '../postgres/programs.ts';
import { makeDurable } from './durability.ts';
import type { MomentPlan } from './moment.ts';
import { type Replayed, replay } from './replay.ts';
import { assertReachable } from './sandbox/place.ts';
import { neutralise } from './server/config-files.ts';
import type { RecoveryWorld } from './world.ts';

export interface CopyToReplay {
  readonly plan: MomentPlan;
  readonly dataDir: string;
  readonly programs: ServerPrograms;
  readonly account: ServerAccount | undefined;
  /** It will stand beside the original, whose archive it must not write to. */
  readonly isBeside: boolean;
}

const AUTO_CONF = 'postgresql.auto.conf';
const RUNTIME = '.holdfast-recovery-';
const ARCHIVING_OFF = `
# Added by Holdfast: this is a restored copy. With the original's configuration it would archive its log into the original's archive.
# Remove this line when the copy takes the original's place.
archive_mode = 'off'
`;

/** Resolves when the directory is ready to start, and on the disk. */
export async function replayCopy(world: RecoveryWorld, copy: CopyToReplay): Promise<Omit<Replayed, 'instance'>> {
  const { plan, dataDir, programs, account } = copy;
  const owner = await stat(dataDir);
  const autoConf = await readFile(join(dataDir, AUTO_CONF));
  await clearEarlier(dirname(dataDir));
  const runtime = await mkdtemp(join(dirname(dataDir), RUNTIME));
  try {
    await chmod(runtime, 0o711);
    if (account) await giveTo(account, dataDir);
    await assertReachable(dataDir, account);
    await neutralise(dataDir);
    const place = join(runtime, basename(dataDir));
    await move(dataDir, place);
    const request = { plan, dataDir: place, runtime, programs, account, removeWhenOrphaned: [runtime] };
    const { instance, ...replayed } = await replay(world, request);
    await instance.stop('fast');
    await rm(join(place, 'postmaster.opts'), { force: true });
    const added = copy.isBeside ? Buffer.from(ARCHIVING_OFF) : Buffer.alloc(0);
    await writeFile(join(place, AUTO_CONF), Buffer.concat([autoConf, added]));
    if (account) await giveTo({ ...account, uid: owner.uid, gid: owner.gid }, place);
    await makeDurable(place, below(place));
    await move(place, dataDir);
    return replayed;
  } finally {
    await rm(runtime, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What a killed run worked on. Every run has a directory of its own: what still clears away an earlier one does not meet it. */
async function clearEarlier(parent: string): Promise<void> {
  for (const name of await readdir(parent))
    if (name.startsWith(RUNTIME)) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 });
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(from));
  await syncDirectory(dirname(to));
}

function* below(directory: string): Generator<Buffer> {
  yield Buffer.from(directory);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield Buffer.from(path);
  }
}
