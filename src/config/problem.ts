/** What can be wrong with a configuration, and what is worth a remark. */

/** Keys and list positions from the top of the file. */
export type Path = readonly (string | number)[];

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly path: Path;
  /** What is wrong, without the path; begins in lower case, holds no secret. */
  readonly message: string;
}

/** Something that is allowed but that the operator should know. */
export interface Remark {
  readonly line: number;
  /** Dotted, as people write it. */
  readonly path: string;
  readonly message: string;
}

/** `apps.clinic.references[0].source` */
export function dotted(path: Path): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`)).join('');
}
