/**
 * What a test needs from the machine. Programs come from Debian packages, installed when we are root and they are missing.
 *
 * A test whose need cannot be met skips itself with the reason given here; every such reason begins with `NEEDS`, by which the test
 * command recognises it. In CI a skip of this kind counts as a failure.
 *
 *     const restic = await need('restic');
 *     test('restic reads what we wrote', { skip: restic.skip }, async () => { … });
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from './run.ts';

/** How every reason to skip for want of a program begins. */
export const NEEDS = 'needs';

export interface Need {
  /** For `node:test`: false when the need is met, otherwise the reason. */
  readonly skip: false | string;
}

/** The Debian package that carries each program; for programs outside PATH, where they are. */
const PROGRAMS: Readonly<Record<string, { readonly package: string; readonly path?: string }>> = {
  restic: { package: 'restic' },
  radosgw: { package: 'radosgw' },
  'ceph-mon': { package: 'ceph-mon' },
  'ceph-osd': { package: 'ceph-osd' },
  'ceph-authtool': { package: 'ceph-common' },
  fallocate: { package: 'util-linux' },
  setfattr: { package: 'attr' },
  postgres15: { package: 'postgresql-15', path: '/usr/lib/postgresql/15/bin/postgres' },
  file: { package: 'file' },
  pdftotext: { package: 'poppler-utils' },
  borg: { package: 'borgbackup' },
  pgbackrest: { package: 'pgbackrest' },
};

/** Makes sure that `programs` can be run, installing them where that is possible. */
export async function need(...programs: readonly string[]): Promise<Need> {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return { skip: false };
  const packages = missing.map((program) => PROGRAMS[program]?.package ?? program);
  const problem = await ensureDebianPackages(packages);
  const still = programs.filter((program) => !isInstalled(program));
  if (still.length === 0) return { skip: false };
  return { skip: `${NEEDS} ${still.join(', ')}: ${problem ?? `not found after installing ${packages.join(' ')}`}` };
}

/** Whether `program` is in PATH, or where the table says it is. */
export function isInstalled(program: string): boolean {
  const known = PROGRAMS[program]?.path;
  if (known !== undefined) return existsSync(known);
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return places.some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** One installation at a time on the machine, whoever asks; apt has no lock of its own that waits in every case. */
const APT_LOCK = '/tmp/holdfast-apt.lock';
const APT_TIMEOUT_MS = 8 * 60_000;
/** `policy-rc.d` keeps package scripts from starting the servers they bring. */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
install() { apt-get install -y -qq --no-install-recommends "$@"; }
install "$@" || { apt-get update -qq && install "$@"; }
`;

/** Installs what is missing of `packages`. Returns why it could not be done, or undefined when all are there. */
async function ensureDebianPackages(packages: readonly string[]): Promise<string | undefined> {
  const wanted = [...new Set(packages)];
  if (!isInstalled('apt-get')) return `this machine has no apt-get; install ${wanted.join(', ')} by its own means`;
  if (process.getuid?.() !== 0) return `as root, once: apt-get install --no-install-recommends ${wanted.join(' ')}`;
  const done = await run('flock', [APT_LOCK, 'sh', '-c', INSTALL, 'install', ...wanted], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    cwd: tmpdir(),
    timeoutMs: APT_TIMEOUT_MS,
  });
  if (done.code === 0) return undefined;
  const lastLines = done.stderr.trim().split('\n').slice(-3).join(' · ');
  return `apt-get install ${wanted.join(' ')} failed: ${lastLines || `exit ${done.code ?? done.signal}`}`;
}
