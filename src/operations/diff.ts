/** What differs between two points: `holdfast diff`. Both are walked side by side; directories with the same tree are not entered. */
import { type Id, shortId } from '../base/ids.ts';
import { pathOf } from '../recovery/browse.ts';
import { TreeCursor } from '../recovery/tree-cursor.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { TreeNode } from '../repository/trees.ts';
import { findPoints } from './restore/find-point.ts';
import { PAGE_NAMES } from './runbook/pages.ts';
import type { Session } from './session.ts';

export interface DiffInput {
  readonly app: string | undefined;
  readonly from: string;
  readonly to: string;
}

/** `content`: other bytes; `metadata`: same bytes, other owner, mode, time or attributes; `type`: a file became a directory, or so. */
export type ChangeKind = 'added' | 'removed' | 'content' | 'metadata' | 'type';

export interface Change {
  readonly kind: ChangeKind;
  /** Relative to the app's directory. */
  readonly path: string;
  readonly type: TreeNode['type'];
  /** Bytes before and after; 0 where there is no file. */
  readonly size_before: number;
  readonly size_after: number;
}

export interface DiffOutcome {
  readonly from: Id;
  readonly to: Id;
  readonly from_short: string;
  readonly to_short: string;
  /** By kind of change: how many things, and the bytes of their files (for `content`, of the new state). */
  readonly counts: Readonly<Record<ChangeKind, number>>;
  readonly bytes: Readonly<Record<ChangeKind, number>>;
}

/** Hands the changes over in batches, in the order of their paths; stops when `visit` says false. Throws `point_unknown`. */
export async function diff(
  session: Session,
  { app, from, to }: DiffInput,
  visit: (changes: readonly Change[]) => Promise<boolean>,
): Promise<DiffOutcome> {
  const { indexed, points } = await findPoints(session, app, [from, to]);
  const [before, after] = points as [(typeof points)[0], (typeof points)[0]];
  const comparison = new Comparison(indexed, session.signal, visit);
  await comparison.directories([], before.root, after.root);
  await comparison.flush();
  return {
    from: before.stored.id,
    to: after.stored.id,
    from_short: shortId(before.stored.id),
    to_short: shortId(after.stored.id),
    counts: comparison.counts,
    bytes: comparison.bytes,
  };
}

const BATCH = 256;
/** What a backup adds of its own, beside the sources: it is of another time always. */
const OWN = ['manifest.json', ...Object.values(PAGE_NAMES)].map((name) => Buffer.from(name));

class Comparison {
  readonly counts: Record<ChangeKind, number> = { added: 0, removed: 0, content: 0, metadata: 0, type: 0 };
  readonly bytes: Record<ChangeKind, number> = { added: 0, removed: 0, content: 0, metadata: 0, type: 0 };
  readonly #indexed: IndexedRepository;
  readonly #signal: AbortSignal;
  readonly #visit: (changes: readonly Change[]) => Promise<boolean>;
  #waiting: Change[] = [];
  #stopped = false;

  constructor(
    indexed: IndexedRepository,
    signal: AbortSignal,
    visit: (changes: readonly Change[]) => Promise<boolean>,
  ) {
    this.#indexed = indexed;
    this.#signal = signal;
    this.#visit = visit;
  }

  async directories(names: readonly Buffer[], before: Id | undefined, after: Id | undefined): Promise<void> {
    if (before === after) return;
    const left = new TreeCursor(this.#indexed, before);
    const right = new TreeCursor(this.#indexed, after);
    while (!this.#stopped) {
      const [old, young] = [await left.peek(), await right.peek()];
      if (old === undefined && young === undefined) return;
      const order = old === undefined ? 1 : young === undefined ? -1 : Buffer.compare(old.name, young.name);
      if (order <= 0) left.advance();
      if (order >= 0) right.advance();
      await this.#nodes(names, order <= 0 ? old : undefined, order >= 0 ? young : undefined);
    }
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0 || this.#stopped) return;
    this.#signal.throwIfAborted();
    const changes = this.#waiting;
    this.#waiting = [];
    this.#stopped = !(await this.#visit(changes));
  }

  /** One name, in one point or in both. */
  async #nodes(above: readonly Buffer[], old: TreeNode | undefined, young: TreeNode | undefined): Promise<void> {
    const name = (young ?? old)?.name;
    if (name === undefined || (above.length === 0 && OWN.some((own) => own.equals(name)))) return;
    const kind = changeOf(old, young);
    if (kind === undefined && old?.subtree === young?.subtree) return;
    const names = [...above, name];
    if (kind !== undefined) await this.#tell(kind, names, old, young);
    await this.directories(names, old?.subtree, young?.subtree);
  }

  async #tell(kind: ChangeKind, names: readonly Buffer[], old?: TreeNode, young?: TreeNode): Promise<void> {
    const [before, after] = [sizeOf(old), sizeOf(young)];
    this.counts[kind] += 1;
    this.bytes[kind] += kind === 'removed' ? before : after;
    const type = (young ?? old)!.type;
    this.#waiting.push({ kind, path: pathOf(names).toString(), type, size_before: before, size_after: after });
    if (this.#waiting.length >= BATCH) await this.flush();
  }
}

function sizeOf(node: TreeNode | undefined): number {
  return node?.type === 'file' ? node.size : 0;
}

function changeOf(old: TreeNode | undefined, young: TreeNode | undefined): ChangeKind | undefined {
  if (old === undefined) return 'added';
  if (young === undefined) return 'removed';
  if (old.type !== young.type) return 'type';
  if (!sameBytes(old.content, young.content) || !sameBytes(old.linkTarget, young.linkTarget)) return 'content';
  return sameMetadata(old, young) ? undefined : 'metadata';
}

/** A directory's time changes with whatever changes in it, which is told anyway. */
function sameMetadata(old: TreeNode, young: TreeNode): boolean {
  return (
    old.mode === young.mode &&
    old.uid === young.uid &&
    old.gid === young.gid &&
    (old.type === 'dir' || old.mtimeNs === young.mtimeNs) &&
    sameXattrs(old, young)
  );
}

function sameXattrs({ xattrs: old = [] }: TreeNode, { xattrs: young = [] }: TreeNode): boolean {
  return (
    old.length === young.length &&
    old.every(({ name, value }, i) => name === young[i]?.name && sameBytes(value, young[i]?.value))
  );
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
