/** The new password of a key command: from a file or the environment, never from the command line. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../base/failure.ts';
import { option } from './command.ts';
import type { Context } from './context.ts';

export const newPasswordOptions = {
  newPasswordFile: option.text(
    'FILE',
    'the new password is the content of this file (line breaks at its end are cut off)',
  ),
  newPasswordEnv: option.text('NAME', 'the new password is in this environment variable'),
};

const HINT =
  'Give --new-password-file FILE or --new-password-env NAME. A password on the command line would be seen by everybody on this machine.';

export async function readNewPassword(
  { env, cwd }: Context,
  given: { readonly newPasswordFile: string | undefined; readonly newPasswordEnv: string | undefined },
): Promise<string> {
  const { newPasswordFile: file, newPasswordEnv: name } = given;
  if ((file === undefined) === (name === undefined))
    throw new Failure('usage', 'Where is the new password?', { hint: HINT });
  const password = file === undefined ? env[name as string] : await fromFile(resolve(cwd, file));
  if (password === undefined) throw new Failure('secret_unavailable', `The environment variable ${name} is not set.`);
  if (password === '') throw new Failure('usage', 'The new password is empty.');
  return password;
}

async function fromFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/[\r\n]+$/, '');
  } catch (cause) {
    throw new Failure('secret_unavailable', `${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}
