/** Words what zod found, one problem per mistake, as a person would. Values are never quoted: any of them may be a secret. */
import type { z } from 'zod';
import { nearest } from '../../base/suggest.ts';
import type { Path } from '../problem.ts';
import { valueAt } from '../values.ts';

type Issue = z.core.$ZodIssue;

const REFERENCE_KEYS = ['env', 'file', 'command'];

export interface Complaint {
  readonly path: Path;
  readonly message: string;
}

export function complaints(issues: readonly Issue[], root: unknown): Complaint[] {
  return issues.flatMap((issue) => fromIssue(issue, [], root));
}

function fromIssue(issue: Issue, above: Path, root: unknown): Complaint[] {
  const path = [...above, ...(issue.path as Path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, issue.message.split(',')) }));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message }));
    case 'invalid_union':
      return fromUnion(issue, path, root);
    case 'invalid_type':
      return [{ path, message: typeComplaint(issue, valueAt(root, path)) }];
    case 'invalid_value':
      return [{ path, message: absent(valueAt(root, path)) ?? valueComplaint(issue, valueAt(root, path)) }];
    default:
      return [{ path, message: issue.message }];
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown key (did you mean "${meant}"?)`;
  return `unknown key (known here: ${known.join(', ')})`;
}

/** A single value or a reference; or one of several kinds told apart by `type`. */
function fromUnion(issue: Issue & { code: 'invalid_union' }, path: Path, root: unknown): Complaint[] {
  if ('options' in issue)
    return [{ path, message: typeOfThing(valueAt(root, path), issue.options ?? [], valueAt(root, path.slice(0, -1))) }];
  const given = valueAt(root, path);
  const missing = absent(given);
  if (missing !== undefined) return [{ path, message: missing }];
  if (given !== null && typeof given === 'object') return [{ path, message: notReference(given, issue) }];
  return (issue.errors[0] ?? []).flatMap((each) => fromIssue(each, path, root));
}

function notReference(given: object, issue: Issue & { code: 'invalid_union' }): string {
  const form = '{ env: NAME }, { file: PATH } or { command: [PROGRAM, ARGUMENT…] }';
  if (Array.isArray(given)) return `is a list; expected one value, or a reference: ${form}`;
  const wanted = issue.errors[0]?.[0]?.message ?? '';
  const [key = ''] = Object.keys(given);
  const meant = nearest(key, REFERENCE_KEYS);
  return meant !== undefined && meant !== key
    ? `unknown kind of reference "${key}" (did you mean "${meant}"?)`
    : `${wanted === '' ? 'must be one value' : wanted}, or a reference: ${form}`;
}

function typeOfThing(given: unknown, options: readonly unknown[], around: unknown): string {
  const known = options.join(', ');
  const missing = absent(given);
  if (missing !== undefined) return `${missing}; one of ${known}${misspelt(around, 'type')}`;
  if (given === 'bucket') return `bucket is not supported in this version; supported: ${known}`;
  return `must be one of ${known}${guess(given, options.map(String))}`;
}

/** The key that was probably meant to be `key`. */
function misspelt(around: unknown, key: string): string {
  const keys = around !== null && typeof around === 'object' ? Object.keys(around) : [];
  const found = nearest(key, keys);
  return found === undefined ? '' : ` (is "${found}" meant to be it?)`;
}

function typeComplaint(issue: Issue & { code: 'invalid_type' }, given: unknown): string {
  const missing = absent(given);
  if (missing !== undefined) return missing;
  if (issue.expected === 'object' || issue.expected === 'record') {
    return issue.message.startsWith('must') ? issue.message : 'must be a mapping (key: value)';
  }
  const quotable = issue.message === 'must be text' && (typeof given === 'number' || typeof given === 'boolean');
  return quotable ? `${issue.message}; put it in quotes` : issue.message;
}

function valueComplaint(issue: Issue & { code: 'invalid_value' }, given: unknown): string {
  const wanted = issue.message.startsWith('must') ? issue.message : `must be ${issue.values.map(String).join(' or ')}`;
  return wanted + guess(given, issue.values.map(String));
}

/** What was probably meant by a word; what may not be a reference here. */
function guess(given: unknown, known: readonly string[]): string {
  if (isReference(given)) return '; it is written here, a reference does not do';
  const meant = typeof given === 'string' ? nearest(given, known) : undefined;
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`;
}

function isReference(given: unknown): boolean {
  return given !== null && typeof given === 'object' && REFERENCE_KEYS.some((key) => Object.hasOwn(given, key));
}

function absent(given: unknown): string | undefined {
  if (given === undefined) return 'is missing';
  return given === null ? 'has no value' : undefined;
}
