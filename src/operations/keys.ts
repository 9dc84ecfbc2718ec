/** Passwords: who can open the repository. */
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { addKeyFile, type KeyFileInfo, listKeyFiles, removeKeyFile, replaceKeyFile } from '../repository/key-files.ts';
import type { Session } from './session.ts';

export type { KeyFileInfo } from '../repository/key-files.ts';

export function listKeys({ repository }: Session): Promise<KeyFileInfo[]> {
  return listKeyFiles(repository);
}

/** Returns the id of the new key. */
export async function addKey({ repository }: Session, password: string): Promise<Id> {
  await using _lock = await repository.lock(false);
  return addKeyFile(repository, password);
}

/** `prefix`: the first digits of the key's id. Returns the whole id. */
export async function removeKey(session: Session, prefix: string): Promise<Id> {
  const { repository } = session;
  await using _lock = await repository.lock(true);
  const found = (await listKeys(session)).filter(({ id }) => id.startsWith(prefix));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const problem =
      only === undefined ? `There is no key "${prefix}".` : `${found.length} keys begin with "${prefix}".`;
    throw new Failure('usage', problem, { hint: 'List them with "holdfast key list".' });
  }
  await removeKeyFile(repository, only.id);
  return only.id;
}

/** Another password in place of the one in use. Returns the ids of the new and the removed key. */
export async function changePassword(
  { repository }: Session,
  password: string,
): Promise<{ added: string; removed: string }> {
  await using _lock = await repository.lock(true);
  const added = await replaceKeyFile(repository, password);
  return { added: shortId(added), removed: shortId(repository.keyId) };
}
