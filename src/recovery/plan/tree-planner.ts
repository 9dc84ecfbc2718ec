/** Walks the trees of a point and adds what is wanted to the table of a restore. */
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { RestoreContent } from '../../repository/restore-content.ts';
import type { RestoreTable } from '../../repository/restore-table.ts';
import type { TreeNode } from '../../repository/trees.ts';
import type { Manifest } from '../manifest.ts';
import type { PlanProblem, PlanTotals } from '../plan.ts';
import type { Position } from '../selection.ts';
import { HardLinks } from './hard-links.ts';
import { MAX_DEPTH, NameGuard } from './name-guard.ts';
import { Xattrs } from './xattrs.ts';

/** More problems than this are counted, not kept. */
const MAX_PROBLEMS = 1000;
/** Files from this size on get their room on the disk before they are written, unless they have holes; it costs a few milliseconds. */
const RESERVE_FROM = 16 * 1024 * 1024;
/** PostgreSQL writes these when it starts; in a restored data directory they would only mislead. */
const RUNNING_SERVER_FILES = new Set(['postmaster.pid', 'postmaster.opts']);
/** PostgreSQL refuses a data directory that others can write to or, beyond the group, read. */
const DATA_DIRECTORY_MODE = 0o750;

export interface TreePlannerOptions {
  readonly indexed: IndexedRepository;
  readonly table: RestoreTable;
  readonly content: RestoreContent;
  readonly manifest: Manifest | undefined;
  /** A point of ours: one whose manifest is lost still has its databases restored as such. */
  readonly isOurs: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (files: number, bytes: number) => void;
}

/** A directory on the way down. It gets its row when something in it is wanted: its row, its parents' rows. */
interface Place {
  readonly node: TreeNode | undefined;
  readonly parent: Place | undefined;
  readonly depth: number;
  row: number | undefined;
}

interface SourceWalk {
  readonly name: string;
  readonly isDatabase: boolean;
  readonly links: HardLinks;
}

export class TreePlanner {
  readonly xattrs = new Xattrs();
  readonly problems: PlanProblem[] = [];
  problemCount = 0;
  readonly sourceRows = new Map<string, number>();
  readonly lastFiles: number[] = [];
  readonly incompleteSources = new Set<string>();
  readonly #options: TreePlannerOptions;
  readonly #counts = { files: 0, directories: 0, symlinks: 0, hardLinks: 0, bytes: 0, roomBytes: 0 };
  readonly #top: Place = { node: undefined, parent: undefined, depth: 0, row: 0 };
  readonly #topNames = new NameGuard('');
  readonly #foreignLinks = new HardLinks();

  constructor(options: TreePlannerOptions) {
    this.#options = options;
  }

  get totals(): Omit<PlanTotals, 'fetchBytes' | 'packs'> {
    return this.#counts;
  }

  /** Whether anything of a source is wanted: restored, or missing. */
  touched(source: string): boolean {
    return this.sourceRows.has(source) || this.incompleteSources.has(source);
  }

  /** Adds what is wanted of one source; sources come in the order of the point. */
  async source(node: TreeNode, position: Position): Promise<void> {
    this.#topNames.check(node.name);
    const name = node.name.toString();
    const { manifest, isOurs } = this.#options;
    const isDatabase =
      manifest === undefined
        ? isOurs && (await this.#looksLikeDatabase(node))
        : manifest.sources[name]?.type === 'postgres';
    // a snapshot that another program made is of one tree: its hard links may lead from one top directory to another
    const links = isOurs ? new HardLinks() : this.#foreignLinks;
    await this.#node(node, this.#top, position, { name, isDatabase, links });
  }

  /** Whether a source is a data directory of PostgreSQL by what it holds. Names come in order. */
  async #looksLikeDatabase({ subtree }: TreeNode): Promise<boolean> {
    if (subtree === undefined) return false;
    let [hasVersion, hasGlobal] = [false, false];
    for await (const batch of this.#options.indexed.streamTree(subtree)) {
      hasVersion ||= batch.some(({ name }) => name.toString() === 'PG_VERSION');
      hasGlobal ||= batch.some(({ name }) => name.toString() === 'global');
      if (batch.some(({ name }) => name.toString() > 'global')) break;
    }
    return hasVersion && hasGlobal;
  }

  async #node(node: TreeNode, parent: Place, position: Position, walk: SourceWalk): Promise<void> {
    if (position.hopeless) return;
    if (node.type === 'dir') await this.#directory(node, parent, position, walk);
    else if (position.taken) this.#leaf(node, parent, walk);
  }

  async #directory(node: TreeNode, parent: Place, position: Position, walk: SourceWalk): Promise<void> {
    const { indexed, signal, onProgress } = this.#options;
    const place: Place = { node, parent, depth: parent.depth + 1, row: undefined };
    if (place.depth > MAX_DEPTH) throw new Failure('target_unsafe', `${this.#path(parent)} is nested too deep.`);
    if (position.taken) this.#rowOf(place, walk);
    if (node.subtree === undefined) return;
    const names = new NameGuard(this.#path(place));
    for await (const batch of indexed.streamTree(node.subtree)) {
      signal?.throwIfAborted();
      for (const child of batch) {
        names.check(child.name);
        const below = position.enter(child.name);
        if (!below.hopeless) await this.#node(child, place, below, walk);
      }
      onProgress?.(this.#counts.files, this.#counts.bytes);
    }
  }

  #leaf(node: TreeNode, parent: Place, walk: SourceWalk): void {
    if (walk.isDatabase && parent.depth === 1 && RUNNING_SERVER_FILES.has(node.name.toString())) return;
    if (node.type === 'file') this.#file(node, parent, walk);
    else if (node.type === 'symlink') this.#symlink(node, parent, walk);
    else this.#problem(node, parent, `is a ${node.type}, which is not restored`, false);
  }

  #file(node: TreeNode, parent: Place, walk: SourceWalk): void {
    const { table, content } = this.#options;
    const blobs = content.locate(node.content ?? new Uint8Array(0));
    if (blobs === undefined) {
      this.#problem(node, parent, 'no storage has all of its content', true);
      this.incompleteSources.add(walk.name);
      return;
    }
    const directory = this.#rowOf(parent, walk);
    const first = walk.links.find(node, (row) => table.hasContent(row, blobs));
    if (first !== undefined) {
      table.addHardLink(directory, node.name, node, first);
      this.#counts.hardLinks += 1;
      return;
    }
    const row = table.addFile(directory, node.name, node);
    let room = 0;
    for (const blob of blobs) {
      table.addRef(blob, content.plainLength(blob));
      content.count(blob);
      if (!content.isHole(blob)) room += content.plainLength(blob);
    }
    if (room >= RESERVE_FROM && room === table.size(row)) table.reserveRoom(row);
    this.#counts.roomBytes += room;
    walk.links.begin(node, row);
    this.xattrs.set(row, node.xattrs ?? []);
    this.#counts.files += 1;
    this.#counts.bytes += table.size(row);
    if (isControlFile(node, parent, walk)) this.lastFiles.push(row);
  }

  #symlink(node: TreeNode, parent: Place, walk: SourceWalk): void {
    const target = node.linkTarget ?? Buffer.alloc(0);
    if (target.length === 0 || target.includes(0)) {
      this.#problem(node, parent, 'is a symbolic link to nowhere', true);
      return;
    }
    const row = this.#options.table.addSymlink(this.#rowOf(parent, walk), node.name, node, target);
    this.xattrs.set(row, node.xattrs ?? []);
    this.#counts.symlinks += 1;
  }

  /** The row of a directory, added now if it has none yet. */
  #rowOf(place: Place, walk: SourceWalk): number {
    if (place.row !== undefined || place.parent === undefined || place.node === undefined) return place.row ?? 0;
    const { node } = place;
    const parent = this.#rowOf(place.parent, walk);
    const isData = walk.isDatabase && place.depth === 1;
    const meta = isData ? { ...node, mode: dataDirectoryMode(node.mode) } : node;
    place.row = this.#options.table.addDirectory(parent, node.name, meta);
    this.xattrs.set(place.row, node.xattrs ?? []);
    if (place.depth === 1) this.sourceRows.set(node.name.toString(), place.row);
    this.#counts.directories += 1;
    return place.row;
  }

  #problem(node: TreeNode, parent: Place, message: string, missing: boolean): void {
    this.problemCount += 1;
    if (this.problems.length >= MAX_PROBLEMS) return;
    const above = this.#path(parent);
    const name = node.name.toString();
    this.problems.push({ path: printable(above === '' ? name : `${above}/${name}`), message, missing });
  }

  #path(place: Place): string {
    const names: string[] = [];
    for (let at: Place | undefined = place; at?.node !== undefined; at = at.parent) names.push(at.node.name.toString());
    return names.reverse().join('/');
  }
}

function isControlFile(node: TreeNode, parent: Place, { isDatabase }: SourceWalk): boolean {
  const inGlobal = parent.depth === 2 && parent.node?.name.toString() === 'global';
  return isDatabase && inGlobal && node.name.toString() === 'pg_control';
}

function dataDirectoryMode(mode: number): number {
  return (mode & DATA_DIRECTORY_MODE) | 0o700;
}
