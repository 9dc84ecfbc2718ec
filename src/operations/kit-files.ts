/** Kits in files: where one may be written without taking another repository's kit, or what somebody wrote into one, away. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import { PASSWORD_BLANK, TITLE } from './kit/marks.ts';

/** A kit is some ten KiB; what is longer than this is none. In bytes. */
const LONGEST_KIT = 1024 * 1024;

/** What stands in a file: nothing yet, a kit of this repository as it was made, or something that must stay. */
type Content = 'nothing' | 'own' | 'other kit' | 'other';

/** Where in `directory` the kit of the repository goes: under `name` (`recovery-kit`), or beside it when that file must stay. */
export async function kitPlace(
  directory: string,
  { name, extension, repositoryId }: { name: string; extension: string; repositoryId: string },
): Promise<{ readonly file: string /** The file that stays, with another content. */; readonly beside?: string }> {
  const usual = join(directory, `${name}.${extension}`);
  if (isOurs(await contentOf(usual, repositoryId))) return { file: usual };
  const own = join(directory, `${name}-${repositoryId.slice(0, 8)}.${extension}`);
  if (isOurs(await contentOf(own, repositoryId))) return { file: own, beside: usual };
  return { file: join(directory, `${name}-${repositoryId}.${extension}`), beside: usual };
}

/** Throws `target_exists` when the file is the kit of another repository. */
export async function refuseOtherKit(file: string, repositoryId: string): Promise<void> {
  if ((await contentOf(file, repositoryId)) !== 'other kit') return;
  throw new Failure('target_exists', `${file} is the recovery kit of another repository; it was left as it is.`, {
    hint: 'Name another file.',
  });
}

function isOurs(content: Content): boolean {
  return content === 'nothing' || content === 'own';
}

async function contentOf(file: string, repositoryId: string): Promise<Content> {
  const text = await read(file).catch((error: unknown) => (errno(error) === 'ENOENT' ? undefined : ''));
  if (text === undefined) return 'nothing';
  if (!text.toLowerCase().includes(TITLE.toLowerCase())) return 'other';
  if (!text.includes(repositoryId)) return 'other kit';
  return text.includes(PASSWORD_BLANK) ? 'own' : 'other';
}

async function read(file: string): Promise<string> {
  await using handle = await open(file, 'r');
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size > LONGEST_KIT) return '';
  return handle.readFile('utf8');
}
