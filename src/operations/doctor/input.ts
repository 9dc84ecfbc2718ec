/** What the doctor looks at. */
import type { Clock } from '../../base/clock.ts';
import type { Progress } from '../../base/progress.ts';
import type { SourceSettings } from '../../config/settings.ts';
import type { ProgramSearch } from '../../postgres/programs.ts';
import type { Holder } from '../../repository/locks.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/** A part of the set-up that cannot even be looked at, a secret that is missing for example, is a finding too. */
export type Reachable<T> = { readonly name: string } & ({ readonly value: T } | { readonly error: unknown });

export interface DoctorInput {
  readonly stores: readonly Reachable<{
    readonly store: ObjectStore;
    readonly localPath?: string;
    readonly objectLock: boolean;
  }>[];
  readonly password: Reachable<string>;
  readonly sources: readonly (Reachable<SourceSettings> & { readonly app: string; readonly queried: boolean })[];
  /** What the configuration says of itself. */
  readonly remarks: readonly { readonly path: string; readonly message: string }[];
  /** Directories in which programs are looked for. */
  readonly path: readonly string[];
  /** Where server programs of PostgreSQL are looked for. */
  readonly programs: ProgramSearch;
  readonly clock: Clock;
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}
