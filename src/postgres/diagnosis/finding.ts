/** One thing that is wrong with a set-up, or worth knowing, with the exact statement, line or command that mends it. */
export interface Finding {
  /** A `problem` makes backups fail or incomplete; a `remark` does not. */
  readonly severity: 'problem' | 'remark';
  /** Stable, for programs. */
  readonly code: string;
  /** One sentence for people. */
  readonly what: string;
  /** The exact statement, pg_hba line or command; empty where nothing has to be done. */
  readonly mend: string;
}

export function problem(code: string, what: string, mend: string): Finding {
  return { severity: 'problem', code, what, mend };
}

export function remark(code: string, what: string, mend = ''): Finding {
  return { severity: 'remark', code, what, mend };
}
