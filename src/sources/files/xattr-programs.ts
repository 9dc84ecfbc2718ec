/** The programs that read and write extended attributes: Node has no calls for them. Debian's package `attr` brings both. */
import { spawn } from 'node:child_process';

/** Whether `program` can be run. */
export function hasProgram(program: 'getfattr' | 'setfattr'): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, ['--version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}

export const INSTALL_HINT = 'install the programs getfattr and setfattr (apt-get install attr)';
