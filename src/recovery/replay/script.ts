/**
 * The `restore_command` of a recovery that we run: a shell script that takes segments which this process put beside it. What it says decides
 * between life and silent loss: 1 means that there is no such file, and recovery ends there; so it says 1 only for names that are not on the
 * list of what is to come, 255 (which stops the server) for every trouble, and waits for the rest as long as this process lives.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellCommand } from '../../base/shell-words.ts';

const SCRIPT = `#!/bin/sh
# usage: fetch NAME DESTINATION
here=$(dirname -- "$0") name=$1 to=$2
case $name in
*.history)
  test -d "$here/history" || exit 255
  test -f "$here/history/$name" || exit 1
  cp -- "$here/history/$name" "$to" || exit 255
  exit 0
  ;;
esac
test -f "$here/names" || exit 255
grep -qxF -- "$name" "$here/names" || exit 1
while test -d "$here/ready" && test ! -e "$here/failed"; do
  if mv -- "$here/ready/$name" "$to" 2>/dev/null; then
    rm -f -- "$here/wanted/$name"
    exit 0
  fi
  test -e "$here/wanted/$name" || : > "$here/wanted/$name" || exit 255
  if test -d /proc/self && test ! -d "/proc/OWNER"; then exit 255; fi
  sleep 0.02
done
exit 255
`;

/** Writes the script into `directory`; resolves with the setting. Percent signs of the directory's name are not PostgreSQL's. */
export async function writeFetchScript(directory: string): Promise<string> {
  const path = join(directory, 'fetch');
  await writeFile(path, SCRIPT.replace('OWNER', String(process.pid)));
  await chmod(path, 0o755);
  return `${shellCommand(['/bin/sh', path]).replaceAll('%', '%%')} %f %p`;
}
