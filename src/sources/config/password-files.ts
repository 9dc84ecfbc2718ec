/** Files that exist to hold passwords, known by their names, whose lines name nothing: .pgpass, .htpasswd, .netrc, pgbouncer's userlist. */
import { type Span, span } from './spans.ts';

/** One line's password: group 1 stands before it, group 2 is it. */
interface PasswordFile {
  readonly name: RegExp;
  readonly line: RegExp;
}

const FILES: readonly PasswordFile[] = [
  {
    name: /^\.?pgpass(?:\.conf)?$/,
    line: /^([^#:\n](?:[^:\n\\]|\\.)*:(?:[^:\n\\]|\\.)*:(?:[^:\n\\]|\\.)*:(?:[^:\n\\]|\\.)*:)([^\r\n]+)/gm,
  },
  { name: /htpasswd/, line: /^([^#:\n]+:)([^\r\n]+)/gm },
  { name: /^userlist\.txt$/, line: /^([ \t]*"[^"\n]*"[ \t]+")([^"\n]+)/gm },
  { name: /^[._]netrc$/, line: /(\b(?:password|account)[ \t\r\n]{1,64})([^ \t\r\n]+)/g },
];

/** The passwords in the file called `name` (its last component); none when it is not such a file. */
export function findPasswordLines(text: string, name: string): Span[] {
  const known = FILES.find((file) => file.name.test(name));
  if (known === undefined) return [];
  return [...text.matchAll(known.line)].map((found) => {
    const start = found.index + found[1]!.length;
    return span(start, start + found[2]!.length);
  });
}
