/** Failures of single storages, as summaries tell them and as people hear of them. */
import type { Failure } from '../../base/failure.ts';
import type { Output } from './output.ts';

/** By storage. */
export type ToldFailures = Readonly<Record<string, ToldFailure>>;

export interface ToldFailure {
  readonly error: string;
  readonly message: string;
  readonly hint?: string;
}

export function told(failures: ReadonlyMap<string, Failure>): ToldFailures {
  return Object.fromEntries(
    [...failures].map(([name, { code, message, hint }]) => [
      name,
      { error: code, message, ...(hint === undefined ? {} : { hint }) },
    ]),
  );
}

/** With `--json` they stand in the summary already. */
export async function warnOf(output: Output, failures: ToldFailures): Promise<void> {
  for (const { message, hint } of Object.values(failures)) await output.warn(message, hint);
}
