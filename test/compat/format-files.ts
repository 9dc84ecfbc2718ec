/** Files with everything that makes a tree hard to write: the source of the committed fixture and of the live test. */
import { execFile } from 'node:child_process';
import { chmod, link, lutimes, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Names as latin-1: quotes, controls, broken and odd UTF-8, what JSON and Go escape. */
const NAMES = [
  'plain.txt',
  'with "quotes"',
  'back\\slash',
  'new\nline',
  'tab\tx',
  'bell\x07\x08\x0b\x0c\r',
  'ctl\x01\x1f\x7f',
  'bad\xff\xfe utf8',
  'trunc\xe2\x82',
  '\xed\xa0\x80surrogate',
  'amp<&>',
  '\xe2\x80\xa8line-separator',
  '\xc2\xa0nbsp',
  '\xc2\xadsoft-hyphen',
  'gr\xc3\xbc\xc3\x9fe',
  '\xe6\x97\xa5\xe6\x9c\xac',
  '\xf0\x9f\x92\xbe',
  '\xef\xbf\xbdreplacement',
  '\xf3\xa0\x80\x81tag',
  '\xee\x80\x80private',
  '\xe2\x80\x8bzero-width',
  ' leading',
  'trailing ',
  "'single'",
  '-dash',
  '`tick`',
  '\\x41',
  '\\u0041',
  'a'.repeat(255),
  '\xe3\x80\x80ideographic-space',
  '\xef\xbb\xbfbom',
  '{"nodes":[',
  'e\xcc\x81combining',
];

/** Fills the empty directory `root`. Extended attributes and devices are made where the machine lets us. */
export async function makeHardFiles(root: string): Promise<void> {
  const at = (name: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
  for (const [i, name] of NAMES.entries()) await writeFile(at(name), Buffer.alloc(i, name, 'latin1'));
  await writeFile(at('empty'), '');
  await writeFile(at('zeros'), Buffer.alloc(9_000_000));
  await writeFile(at('lines'), Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(''));
  await mkdir(at('empty-dir'));
  await mkdir(at('sub'));
  await mkdir(at('sub/deep'), { mode: 0o700 });
  await writeFile(at('sub/deep/file'), 'deep');
  await symlink('plain.txt', at('link'));
  await symlink('/no/where "q"\n<&>', at('odd link'));
  await link(at('plain.txt'), at('sub/hard link'));
  await chmod(at('plain.txt'), 0o4755);
  await chmod(at('amp<&>'), 0);
  await chmod(at('empty-dir'), 0o1777);
  await utimes(at('tab\tx'), 1, 1);
  await utimes(at('-dash'), 1_700_000_000.1, 1_700_000_000.1);
  await lutimes(at('link'), 1_700_000_000, 1_700_000_000);
  await run('touch', ['-d', '@-1.5', `${root}/new\nline`]);
  await run('mkfifo', [`${root}/fifo`]);
  await makeSpecial(root);
}

async function makeSpecial(root: string): Promise<void> {
  const attempts: [string, string[]][] = [
    ['setfattr', ['-n', 'user.note', '-v', '0x68690aff00', `${root}/plain.txt`]],
    ['setfattr', ['-n', 'user.a&b', '-v', '', `${root}/plain.txt`]],
    ['mknod', [`${root}/character`, 'c', '1', '3']],
    ['mknod', [`${root}/block`, 'b', '259', '70000']],
  ];
  for (const [command, args] of attempts) await run(command, args).catch(() => undefined);
}
