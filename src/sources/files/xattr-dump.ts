/**
 * The text form in which `getfattr --dump --encoding=hex` prints extended attributes and `setfattr --restore` takes them:
 *
 *     # file: /srv/media/a
 *     user.origin=0x7363616e
 *     (empty line)
 *
 * In paths a newline, a carriage return and a backslash are written as three octal digits (`\012`), in names also the equals sign.
 * The text is handled as a byte string: one character per byte.
 */

export interface Xattr {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface DumpSection {
  /** Byte string, as it was given to the program. */
  readonly path: string;
  readonly xattrs: readonly Xattr[];
}

const FILE = '# file: ';

/** Reads a dump. Lines that are neither a file nor an attribute are passed over. */
export function parseDump(dump: string): DumpSection[] {
  const sections: { path: string; xattrs: Xattr[] }[] = [];
  for (const line of dump.split('\n')) {
    if (line.startsWith(FILE)) sections.push({ path: unquote(line.slice(FILE.length)), xattrs: [] });
    else {
      const xattr = parseLine(line);
      if (xattr !== undefined) sections.at(-1)?.xattrs.push(xattr);
    }
  }
  return sections;
}

function parseLine(line: string): Xattr | undefined {
  const equals = line.indexOf('=0x');
  if (equals <= 0) return undefined;
  return { name: utf8(unquote(line.slice(0, equals))), value: Buffer.from(line.slice(equals + 3), 'hex') };
}

/** One file's section, as `setfattr --restore` reads it. `path` is a byte string. */
export function formatSection(path: string, xattrs: readonly Xattr[]): string {
  const lines = xattrs.map(
    ({ name, value }) => `${quote(bytes(name), /[\n\r\\=]/g)}=0x${Buffer.from(value).toString('hex')}\n`,
  );
  return `${FILE}${quote(path, /[\n\r\\]/g)}\n${lines.join('')}\n`;
}

function quote(text: string, special: RegExp): string {
  return text.replace(special, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unquote(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Attribute names are text in our entries; on Linux they are bytes, in practice ASCII. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
