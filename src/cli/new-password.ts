/** The new password of a key command: from a file or the environment, never from the command line. */
import { Failure } from '../base/failure.ts';
import { resolveSecret } from '../config/secrets.ts';
import { option } from './command.ts';
import type { Context } from './context.ts';

export const newPasswordOptions = {
  newPasswordFile: option.text(
    'FILE',
    'the new password is the content of this file (blanks and line breaks at its ends are cut off)',
  ),
  newPasswordEnv: option.text('NAME', 'the new password is in this environment variable'),
};

const HINT =
  'Give --new-password-file FILE or --new-password-env NAME. A password on the command line would be seen by everybody on this machine.';

/** Read as the configuration reads it, so that what is set here opens the repository from there. Throws `secret_unavailable`. */
export async function readNewPassword(
  { env, cwd, signal, output }: Context,
  given: { readonly newPasswordFile: string | undefined; readonly newPasswordEnv: string | undefined },
): Promise<string> {
  const { newPasswordFile: file, newPasswordEnv: name } = given;
  if ((file === undefined) === (name === undefined))
    throw new Failure('usage', 'Where is the new password?', { hint: HINT });
  const reference = file === undefined ? { env: name as string } : { file };
  const onWarning = (message: string, hint: string) => void output.warn(message, hint);
  return resolveSecret(reference, 'the new password', { env, directory: cwd, signal, onWarning });
}
