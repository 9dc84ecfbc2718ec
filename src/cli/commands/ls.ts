/** `holdfast ls POINT [PATH]`: what is in a point. */
import { listEntries } from '../../api/points.ts';
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type ListedNode, listTree } from '../../operations/list-tree.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { JsonArray } from '../output/json-array.ts';
import type { Output } from '../output/output.ts';

export default defineCommand({
  details:
    'Paths begin with the name of a source: "ls latest media/photos". Directories end in a slash, links show where they point.',
  arguments: {
    point: argument.required('POINT', 'id, its first digits, or "latest"'),
    path: argument.optional('PATH', 'a directory or file; default: the sources'),
  },
  options: {
    long: option.flag('with mode, owner, size and time', 'l'),
    recursive: option.flag('everything below too', 'R'),
  },
  examples: [
    ['holdfast ls latest', 'the sources of the newest point'],
    ['holdfast ls -l 1f0c media/2026', 'one directory, in full'],
  ],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { point, path = '' }, options: { long, recursive } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const list = new Listing({ output, flags }, long);
    await listTree(session, { app, point, path, recursive }, (entries) => list.add(entries));
    return list.end();
  },
  async remote(context, { arguments: { point, path = '' }, options: { long, recursive } }) {
    const { document, app } = context.server;
    const list = new Listing(context, long);
    const query = { ...app, path, recursive };
    await list.add(await document<ListedNode[]>(listEntries, { params: { point }, query }));
    return list.end();
  },
});

/** Printed as it comes. */
class Listing {
  readonly #output: Output;
  readonly #json: JsonArray | undefined;
  readonly #long: boolean;

  constructor({ output, flags }: Pick<Context, 'output' | 'flags'>, long: boolean) {
    this.#output = output;
    this.#json = flags.json ? new JsonArray(output) : undefined;
    this.#long = long;
  }

  /** False when nobody reads on. */
  async add(entries: readonly ListedNode[]): Promise<boolean> {
    if (this.#json !== undefined) await this.#json.add(entries);
    else {
      const lines = entries.map((entry) => `${this.#long ? longLine(entry) : shortName(entry)}\n`);
      await this.#output.raw(lines.join(''));
    }
    return !this.#output.readerGone;
  }

  async end(): Promise<ExitStatus> {
    await this.#json?.end();
    return EXIT.done;
  }
}

const TYPE_LETTERS: Readonly<Record<ListedNode['type'], string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  dev: 'b',
  chardev: 'c',
  fifo: 'p',
  socket: 's',
};

function shortName({ path, type }: ListedNode): string {
  return `${printable(path)}${type === 'dir' ? '/' : ''}`;
}

function longLine(entry: ListedNode): string {
  const { type, mode, uid, gid, user, group, size, mtime, link_target } = entry;
  const owner = printable(`${user ?? uid}:${group ?? gid}`).padEnd(17);
  const bytes = (type === 'file' ? formatBytes(size) : '').padStart(10);
  const target = link_target === undefined ? '' : ` -> ${printable(link_target)}`;
  return `${TYPE_LETTERS[type]}${permissions(mode)}  ${owner}  ${bytes}  ${mtime.slice(0, 19)}Z  ${shortName(entry)}${target}`;
}

/** Octal digits as `ls` writes them: `rw-r--r--`, with s and t for the bits above. */
function permissions(octal: string): string {
  const mode = Number.parseInt(octal, 8);
  const triple = (shift: number, special: number, letter: string) => {
    const bits = mode >> shift;
    const [read, write, run] = [bits & 4 ? 'r' : '-', bits & 2 ? 'w' : '-', bits & 1 ? 'x' : '-'];
    if ((mode & special) === 0) return `${read}${write}${run}`;
    return `${read}${write}${run === 'x' ? letter : letter.toUpperCase()}`;
  };
  return triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}
