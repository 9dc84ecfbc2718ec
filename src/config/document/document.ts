/** YAML text as plain values, with the line of every value. Syntax mistakes are problems like any other. */
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { Path, Problem } from '../problem.ts';
import { syntaxProblem } from './syntax-problems.ts';

export interface ParsedDocument {
  /** Plain values; mappings without a prototype's surprises. Undefined when the text cannot be read as YAML at all. */
  readonly root: unknown;
  /** The line (from 1) where the value or key at `path` stands, or that of the nearest part around it. */
  lineOf(path: Path, what?: 'key' | 'value'): number;
  readonly problems: readonly Problem[];
}

/** An alias may be repeated this often before the text counts as an attack on memory. */
const MAX_ALIASES = 100;

export function readDocument(text: string): ParsedDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: true });
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    line: lines.linePos(pos[0]).line,
    path: [],
    message:
      code === 'DUPLICATE_KEY' ? `the key ${keyAt(text, pos[0])} stands here a second time` : syntaxProblem(code),
  }));
  const problems = distinct(found);
  const fatal = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY');
  const lineOf = (path: Path, what: 'key' | 'value' = 'key') => lines.linePos(offsetOf(document, path, what)).line;
  if (fatal) return { root: undefined, lineOf, problems };
  try {
    return { root: document.toJS({ maxAliasCount: MAX_ALIASES }) ?? undefined, lineOf, problems };
  } catch {
    const message = 'aliases (*name) repeat too much, or name an anchor (&name) that is not set before';
    return { root: undefined, lineOf, problems: [...problems, { line: 1, path: [], message }] };
  }
}

/** A bracket that is not closed is complained about once by each part that waits for it. */
function distinct(problems: readonly Problem[]): Problem[] {
  const first = ({ line, message }: Problem) => problems.findIndex((p) => p.line === line && p.message === message);
  return problems.filter((problem, at) => first(problem) === at);
}

function keyAt(text: string, offset: number): string {
  const [, quoted, plain = ''] = /^(?:"([^"\n]*)"|([^:\n]*))/.exec(text.slice(offset, offset + 200)) ?? [];
  return JSON.stringify(quoted ?? plain.trim());
}

function offsetOf(document: Document.Parsed, path: Path, what: 'key' | 'value'): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    const { key, value } = child(document, node, part);
    const last = depth === path.length - 1;
    offset =
      (last && what === 'value' ? value?.range?.[0] : undefined) ?? key?.range?.[0] ?? value?.range?.[0] ?? offset;
    if (value === undefined) break;
    node = value;
  }
  return offset;
}

interface Child {
  readonly key?: Node | undefined;
  readonly value?: Node | undefined;
}

function child(document: Document.Parsed, node: Node | null | undefined, part: string | number): Child {
  const collection = resolveAlias(document, node);
  if (isMap<Node, Node | null>(collection)) {
    const pair = collection.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
    return pair === undefined ? {} : { key: pair.key, value: pair.value ?? undefined };
  }
  const items = (collection as { items?: unknown })?.items;
  return Array.isArray(items) ? { value: items[Number(part)] as Node | undefined } : {};
}

function resolveAlias(document: Document.Parsed, node: Node | null | undefined): Node | null | undefined {
  return node !== null && node !== undefined && 'resolve' in node && typeof node.resolve === 'function'
    ? (node.resolve(document) as Node | undefined)
    : node;
}
