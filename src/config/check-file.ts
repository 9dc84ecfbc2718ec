/** Reads the text of a configuration and finds all that is wrong with it, at once. */
import { dirname } from 'node:path';
import { Failure } from '../base/failure.ts';
import { crossChecks } from './checks/cross-checks.ts';
import { remarksOn } from './checks/remarks.ts';
import { readDocument } from './document/document.ts';
import type { LocatedFile } from './locate.ts';
import { dotted, type Path, type Problem, type Remark } from './problem.ts';
import { type FileValues, file as fileSchema, VERSION } from './schema/file.ts';
import { type Complaint, complaints } from './schema/problems.ts';
import { valueAt } from './values.ts';

export interface CheckedFile {
  readonly file: string;
  /** As written, defaults filled in. */
  readonly values: FileValues;
  readonly remarks: readonly Remark[];
  /** Whether the value at `path` stands in the file; a default does not. */
  isWritten(path: Path): boolean;
  lineOf(path: Path): number;
}

/** Throws `config_invalid`; `details.problems` holds each problem's `line`, `path` and `message`, in the order of the file. */
export function checkFile({ file, text, mode }: LocatedFile): CheckedFile {
  const document = readDocument(text);
  const root = withoutExtensions(document.root);
  const empty = root === undefined && document.problems.length === 0;
  if (empty) throw invalid(file, [{ line: 1, path: [], message: 'the file is empty; it begins with "version: 1"' }]);
  const parsed = fileSchema.safeParse(root);
  const found =
    document.root === undefined ? [] : [...complaints(parsed.error?.issues ?? [], root), ...crossChecks(root)];
  const problems = [...document.problems, ...found.map((complaint) => placed(complaint, document.lineOf, root))];
  if (!parsed.success || problems.length > 0) throw invalid(file, problems);
  const remarks = remarksOn(parsed.data, { directory: dirname(file), mode }).map(({ path, message }) => ({
    line: document.lineOf(path),
    path: dotted(path),
    message,
  }));
  return {
    file,
    values: parsed.data,
    remarks: remarks.sort((a, b) => a.line - b.line),
    isWritten: (path) => valueAt(root, path) !== undefined,
    lineOf: document.lineOf,
  };
}

/** Top-level keys that begin with `x-` are the operator's own: a place for anchors. */
function withoutExtensions(root: unknown): unknown {
  if (root === null || typeof root !== 'object' || Array.isArray(root)) return root;
  return Object.fromEntries(Object.entries(root).filter(([key]) => !key.startsWith('x-')));
}

function placed({ path, message }: Complaint, lineOf: (path: Path) => number, root: unknown): Problem {
  const version = path.length === 1 && path[0] === 'version' ? valueAt(root, path) : undefined;
  const known = `this program reads version ${VERSION}`;
  if (typeof version === 'number')
    return { line: lineOf(path), path, message: `version ${version} is not known; ${known}` };
  return { line: lineOf(path), path, message };
}

function invalid(file: string, problems: readonly Problem[]): Failure {
  const listed = problems
    .map(({ line, path, message }) => ({ line, path: dotted(path), message }))
    .sort((a, b) => a.line - b.line);
  const count = listed.length === 1 ? 'a problem' : `${listed.length} problems`;
  return new Failure('config_invalid', `${file} has ${count}.`, { details: { file, problems: listed } });
}
