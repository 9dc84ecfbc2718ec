/** Puts extended attributes back onto restored files, as far as the target and our rights allow. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { printable } from '../../base/printable.ts';
import type { Notify } from '../entry.ts';
import { byteString } from './byte-names.ts';
import { formatSection, type Xattr } from './xattr-dump.ts';
import { hasProgram, INSTALL_HINT } from './xattr-programs.ts';

export interface XattrsToApply {
  /** Absolute. Symbolic links are not followed. */
  readonly path: Uint8Array;
  readonly xattrs: readonly Xattr[];
}

/** More complaints than this are counted, not told one by one. */
const MOST_TOLD = 20;

/**
 * Sets the attributes of all files of `list`, with one process. What cannot be set (no right to, a name space that the target does not
 * know) is told by `note` notices and does not stop the rest. Writing waits for the program: nothing of `list` is kept in memory.
 */
export async function applyXattrs(
  list: Iterable<XattrsToApply> | AsyncIterable<XattrsToApply>,
  notify: Notify,
): Promise<void> {
  let child: ReturnType<typeof start> | undefined;
  for await (const { path, xattrs } of list) {
    if (xattrs.length === 0) continue;
    if (child === undefined && !(await hasProgram('setfattr'))) {
      notify({
        kind: 'note',
        item: 'extended attributes',
        reason: `they are not restored; to have them, ${INSTALL_HINT}`,
      });
      return;
    }
    child ??= start(notify);
    await child.write(formatSection(byteString(path), xattrs));
  }
  await child?.end();
}

function start(notify: Notify) {
  const child = spawn('setfattr', ['-h', '--restore=-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const complaints = new Complaints(notify);
  child.stdin.on('error', () => {}); // an early end shows in what the program says
  child.stderr.on('data', (chunk: Buffer) => complaints.take(chunk.toString('latin1')));
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const write = async (text: string) => {
    if (!child.stdin.write(text, 'latin1')) await Promise.race([once(child.stdin, 'drain').catch(() => {}), ended]);
  };
  const end = async () => {
    child.stdin.end();
    await ended;
    complaints.close();
  };
  return { write, end };
}

/** Turns the program's complaints (`setfattr: path: reason`) into notices, the first few word for word. */
class Complaints {
  readonly #notify: Notify;
  #rest = '';
  #count = 0;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!.slice(-8192);
    for (const line of lines) this.#tell(line);
  }

  close(): void {
    if (this.#rest !== '') this.#tell(this.#rest);
    const more = this.#count - MOST_TOLD;
    if (more > 0) this.#notify({ kind: 'note', item: 'extended attributes', reason: `${more} more could not be set` });
  }

  #tell(line: string): void {
    this.#count += 1;
    if (this.#count > MOST_TOLD) return;
    const said = printable(Buffer.from(line.replace(/^setfattr: /, ''), 'latin1').toString('utf8'));
    this.#notify({ kind: 'note', item: 'extended attributes', reason: `not set: ${said}` });
  }
}
