/** YAML text as plain values, with the line of every value. Syntax mistakes are problems like any other. */
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { Path, Problem } from '../problem.ts';

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
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    line: lines.linePos(pos[0]).line,
    path: [],
    message: code === 'DUPLICATE_KEY' ? `the key ${keyAt(text, pos)} stands here a second time` : lowerFirst(message),
  }));
  const fatal = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY');
  const lineOf = (path: Path, what: 'key' | 'value' = 'key') => lines.linePos(offsetOf(document, path, what)).line;
  if (fatal) return { root: undefined, lineOf, problems };
  try {
    return { root: document.toJS({ maxAliasCount: MAX_ALIASES }) ?? undefined, lineOf, problems };
  } catch (error) {
    const message = lowerFirst(error instanceof Error ? error.message : String(error));
    return { root: undefined, lineOf, problems: [...problems, { line: 1, path: [], message }] };
  }
}

function keyAt(text: string, [start, end]: readonly [number, number]): string {
  const key = text.slice(start, end).split(/[:\s]/, 1)[0] ?? '';
  return JSON.stringify(key.replace(/^["']|["']$/g, ''));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
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
