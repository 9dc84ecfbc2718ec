/** What the doctor and the health checks say: one thing that is wrong, worth knowing, or as it should be. */
import { asFailure } from '../base/failure.ts';

export interface DoctorFinding {
  readonly severity: 'problem' | 'remark' | 'good';
  /** What it is about: `storage r2`, `source database of clinic`, `this machine`. */
  readonly about: string;
  readonly what: string;
  /** A command, statement or action; empty where there is nothing to do. */
  readonly mend: string;
}

export function problem(about: string, what: string, mend = ''): DoctorFinding {
  return { severity: 'problem', about, what, mend };
}

export function remark(about: string, what: string, mend = ''): DoctorFinding {
  return { severity: 'remark', about, what, mend };
}

export function good(about: string, what: string): DoctorFinding {
  return { severity: 'good', about, what, mend: '' };
}

/** Anything thrown while looking, as a finding. */
export function failed(about: string, error: unknown): DoctorFinding {
  const failure = asFailure(error);
  return problem(about, failure.message, failure.hint ?? '');
}
