/** The configuration files of a server on a restored copy, outside its data directory; and what the data directory itself may say. */
import { chmod, chown, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quotedSetting } from '../../postgres/quoting.ts';

const HEADER = '# Written by Holdfast for a server on a restored copy. The original configuration is not read.\n';

const LONGEST_RUNTIME_PARENT = 70;

export interface ConfigFiles {
  readonly settings: Readonly<Record<string, string>>;
  /** Whether connections over the loopback address are let in, with a password. */
  readonly tcp: boolean;
}

/** Writes them into `directory`; resolves with the settings that point a server there. The socket is trusted: its directory is closed. */
export async function writeConfigFiles(
  directory: string,
  { settings, tcp }: ConfigFiles,
): Promise<Record<string, string>> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quotedSetting(value)}\n`);
  const hba = ['local all all trust', ...(tcp ? ['host all all 127.0.0.1/32 scram-sha-256'] : [])];
  const files = {
    config_file: { name: 'postgresql.conf', text: lines.join('') },
    hba_file: { name: 'pg_hba.conf', text: `${hba.join('\n')}\n` },
    ident_file: { name: 'pg_ident.conf', text: '' },
  };
  for (const { name, text } of Object.values(files)) {
    await writeFile(join(directory, name), HEADER + text);
    await chmod(join(directory, name), 0o644);
  }
  return Object.fromEntries(Object.entries(files).map(([setting, { name }]) => [setting, join(directory, name)]));
}

/** A socket's path may have 107 bytes: below a directory of a long name, it goes where the machine keeps temporary files. */
export function runtimeParent(directory: string): { readonly runtimeParent?: string } {
  return directory.length > LONGEST_RUNTIME_PARENT ? {} : { runtimeParent: directory };
}

/**
 * `postgresql.auto.conf` is read whatever the command line says: it goes, and so does all that makes a standby of the copy. Whoever starts the
 * directory by hand, with the original's configuration, still does not archive from it.
 */
export async function neutralise(dataDir: string): Promise<void> {
  for (const name of ['standby.signal', 'recovery.signal', 'postmaster.pid', 'postmaster.opts']) {
    await rm(join(dataDir, name), { force: true });
  }
  const inPlace = (await hasTablespaces(dataDir)) ? "allow_in_place_tablespaces = 'on'\n" : '';
  const autoConf = join(dataDir, 'postgresql.auto.conf');
  await writeFile(autoConf, `${HEADER}archive_mode = 'off'\n${inPlace}`, { mode: 0o600 });
  const { uid, gid } = await stat(dataDir);
  await chown(autoConf, uid, gid);
}

async function hasTablespaces(dataDir: string): Promise<boolean> {
  return (await readdir(join(dataDir, 'pg_tblspc')).catch(() => [])).length > 0;
}
