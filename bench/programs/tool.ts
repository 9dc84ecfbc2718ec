/** What every backup program is asked to do in the same way. */
import type { BenchContext } from '../harness/context.ts';
import { measure, type Sample } from '../harness/measure.ts';
import { bytesBelow } from '../harness/workspace.ts';

export interface Tool {
  /** Program and version, with what is special about its use. */
  readonly name: string;
  readonly isHoldfast: boolean;
  /** A new, empty repository (several for Holdfast, when asked for) to take backups of the directory `source`. */
  create(context: BenchContext, source: string): Promise<Vault>;
}

export interface Vault {
  /** Where everything of this repository lies; removing it removes it. */
  readonly directory: string;
  backup(): Promise<Sample>;
  /** Restores the newest backup, or only the file `only` (relative to the source), below the directory `target`. */
  restore(target: string, only?: string): Promise<Sample>;
  /** Where the source's content stands after a restore to `target`. */
  restoredAt(target: string): string;
  /** Bytes in the repository. */
  stored(): Promise<number>;
}

/** A program that was looked for: there, or why it is not. */
export type Found<T> = { readonly tool: T } | { readonly missing: string };

export function present<T>(found: readonly Found<T>[]): T[] {
  return found.flatMap((one) => ('tool' in one ? [one.tool] : []));
}

export function absent<T>(found: readonly Found<T>[]): string[] {
  return found.flatMap((one) => ('missing' in one ? [one.missing] : []));
}

/** What the adapters of the command line programs share. */
export interface VaultParts {
  readonly context: BenchContext;
  readonly directory: string;
  /** The repository itself, below `directory`. */
  readonly repository: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export abstract class CommandVault implements Vault {
  readonly directory: string;
  protected readonly parts: VaultParts;

  constructor(parts: VaultParts) {
    this.directory = parts.directory;
    this.parts = parts;
  }

  abstract backup(): Promise<Sample>;
  abstract restore(target: string, only?: string): Promise<Sample>;
  abstract restoredAt(target: string): string;

  stored(): Promise<number> {
    return bytesBelow(this.parts.repository);
  }

  protected measure(args: readonly string[], cwd?: string): Promise<Sample> {
    const { program, env, context } = this.parts;
    return measure({ program, args, env, ...(cwd ? { cwd } : {}) }, context.workspace.path);
  }
}
