/**
 * Takes the room of a file on the disk before the file is written: a disk that cannot hold it says so before anything is fetched for it,
 * nobody else takes the room meanwhile, and pieces that come in any order stand together. Node has no call for it. The program `fallocate`
 * (util-linux, busybox) has, and gets the open file: no name passes to it, so nothing depends on what the file is called.
 */
import { spawnSync } from 'node:child_process';

const PROGRAM = 'fallocate';
/** Its messages are read, so they must be in English. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
/** Where the program finds what it is given as its file descriptor 3. */
const THE_FILE = '/proc/self/fd/3';

const REFUSALS = [
  { says: /No space left/i, code: 'ENOSPC' },
  { says: /quota exceeded/i, code: 'EDQUOT' },
] as const;

export class RoomReserver {
  readonly #program: string;
  #isPossible = true;

  constructor(program = PROGRAM) {
    this.#program = program;
  }

  /**
   * The file gets `size` bytes of zeros that stand on the disk. Without the program, or on a file system that cannot, nothing happens, and
   * no further file is tried. Throws ENOSPC and EDQUOT.
   */
  reserve(fd: number, size: number): void {
    if (!this.#isPossible) return;
    const { status, stderr } = spawnSync(this.#program, ['-l', String(size), THE_FILE], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    if (status === 0) return;
    const refusal = REFUSALS.find(({ says }) => says.test(stderr ?? ''));
    if (refusal !== undefined) throw Object.assign(new Error(`no room for ${size} bytes`), { code: refusal.code });
    this.#isPossible = false;
  }
}
