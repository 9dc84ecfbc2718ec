/**
 * Which files are left out: patterns that work like those of a `.gitignore`, matched on the path below the source's root.
 *
 * - Without a slash (a trailing one aside) a pattern is matched on the name alone, at any depth: `*.tmp`, `node_modules`.
 * - With a slash it is matched on the whole path from the root: `cache/**`, `/build`, `media/*.jpg`. A leading slash says the same.
 * - A trailing slash means directories only: `tmp/`.
 * - `*` and `?` stay within one name, `**` crosses directories, `[a-z]`, `[!a-z]` and `{a,b}` choose. They match names with a leading
 *   dot too. A backslash takes a special character literally. Letters match in the case they are written in.
 * - A directory that matches is left out whole and is not even listed. `cache/**` leaves out what is in `cache`, and keeps `cache` empty.
 * - `!pattern` takes back what an earlier pattern left out; the last pattern that matches decides. As in Git, nothing inside a directory
 *   that was left out can be taken back: write `cache/**` and `!cache/keep.txt`, not `cache` and `!cache/keep.txt`.
 *
 * A name that is valid UTF-8 is matched as text; in any other, each byte counts as the character of that number (U+0000 to U+00FF).
 */
import picomatch from 'picomatch';
import { Failure } from '../../base/failure.ts';
import { textOf } from './byte-names.ts';

/** Whether the entry at `path` is left out. `path` is a byte string relative to the root, without a leading slash. */
export type IsExcluded = (path: string, isDirectory: boolean) => boolean;

interface Rule {
  readonly matches: (text: string) => boolean;
  readonly onName: boolean;
  readonly directoriesOnly: boolean;
  readonly excludes: boolean;
}

/** `dot`: `*` matches `.hidden`. `flags: 's'`: a newline is a character like any other. */
const OPTIONS = { dot: true, nonegate: true, noextglob: true, flags: 's' } as const;

/** A longer pattern is a mistake, and could be made to cost much time. */
const LONGEST_PATTERN = 4096;

/**
 * Compiles the patterns once; undefined when there are none, so that the walk need not build relative paths.
 * Throws `config_invalid` for a pattern that can match nothing.
 */
export function compileExcludes(patterns: readonly string[]): IsExcluded | undefined {
  if (patterns.length === 0) return undefined;
  const rules = patterns.map(compileRule).reverse();
  return (path, isDirectory) => {
    const text = textOf(path);
    const name = text.slice(text.lastIndexOf('/') + 1);
    for (const rule of rules) {
      if (rule.directoriesOnly && !isDirectory) continue;
      if (rule.matches(rule.onName ? name : text)) return rule.excludes;
    }
    return false;
  };
}

function compileRule(pattern: string): Rule {
  const excludes = !pattern.startsWith('!');
  const bare = excludes ? pattern : pattern.slice(1);
  const directoriesOnly = bare.endsWith('/');
  const body = bare.replace(/\/{1,4096}$/, '');
  const onName = !body.includes('/');
  const glob = body.replace(/^\//, '');
  if (glob === '' || bare.length > LONGEST_PATTERN) throw unusable(pattern);
  // `cache/**` means what is in `cache`; picomatch would count `cache` itself.
  const matches = picomatch(literalPunctuation(glob.endsWith('/**') ? `${glob}/*` : glob), OPTIONS);
  return { matches, onName, directoriesOnly, excludes };
}

/** Characters that mean something to picomatch or to regular expressions, and nothing in a pattern of ours, are taken literally. */
function literalPunctuation(glob: string): string {
  return glob.replace(/\\.|\[!|[()|+@$]/gs, (found) => {
    if (found === '[!') return '[^';
    return found.length > 1 ? found : `\\${found}`;
  });
}

function unusable(pattern: string): Failure {
  return new Failure('config_invalid', `The exclude pattern ${JSON.stringify(pattern.slice(0, 200))} cannot be used.`, {
    hint: `Write a pattern such as "*.tmp", "cache/**" or "/build/", of at most ${LONGEST_PATTERN} characters.`,
  });
}
