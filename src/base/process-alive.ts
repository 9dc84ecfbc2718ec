/** Processes of this machine. */
import { errno } from './errno.ts';

/** Whether a process of that id lives, whoever it belongs to. Of one in another container nothing is known here. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errno(error) === 'EPERM';
  }
}
