/** Words syntax mistakes by their code: the parser's own messages may quote the text, and the text may be a password. */
import type { ErrorCode } from 'yaml';

const WORDS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias (*name) must name an anchor; text that begins with * needs quotes',
  BAD_INDENT: 'the indentation does not fit what is around it',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape that does not exist; single quotes take text as it is',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on one line; text that contains ": " needs quotes',
  BLOCK_IN_FLOW: 'a block cannot stand inside { … } or [ … ]',
  DUPLICATE_KEY: 'a key stands here a second time',
  MISSING_CHAR: 'something is missing here: a closing quote or bracket, a colon or a blank',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; a colon may be missing',
  MULTIPLE_DOCS: 'a second document begins here (---); only one is allowed',
  TAB_AS_INDENT: 'tabs cannot indent; use blanks',
  TAG_RESOLVE_FAILED: 'tags (!name) are not known here; text that begins with ! needs quotes',
  UNEXPECTED_TOKEN: 'this does not belong here',
};

export function syntaxProblem(code: ErrorCode): string {
  return WORDS[code] ?? 'this cannot be read as YAML';
}
