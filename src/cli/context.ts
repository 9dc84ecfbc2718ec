/** All that a command knows of the world. Built once in `run.ts`; nothing below the shell reads the environment or a global. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from '../base/progress.ts';
import type { Supervision } from '../base/supervision.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Output } from './output/output.ts';
import type { Registration } from './registration.ts';

/** The flags every command takes. */
export interface GlobalFlags {
  /** `--config F`. */
  readonly config: string | undefined;
  /** `--app A`. */
  readonly app: string | undefined;
  /** `--server URL`: the command works there. */
  readonly server: string | undefined;
  /** `--token-file F`. */
  readonly tokenFile: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** What this program is, for `version` and for the records it writes. */
export interface BuildInfo {
  /** The file that starts it; absolute. */
  readonly program: string;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

/** Somebody who can be asked. */
export interface Terminal {
  /** Resolves with the line that was typed. */
  ask(question: string, signal: AbortSignal): Promise<string>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Context {
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly env: Environment;
  /** Relative paths on the command line count from here. */
  readonly cwd: string;
  readonly build: BuildInfo;
  /** Every command there is, for completion. */
  readonly commands: readonly Registration[];
  readonly flags: GlobalFlags;
  readonly output: Output;
  /** Draws what an operation reports: live lines, plain lines or JSON Lines. For commands that act; listings pass `silent`. */
  readonly progress: Progress;
  /** There when a worker of the service started this command. */
  readonly supervision?: Supervision;
  /** Calls `hear` whenever the operator asks to read the configuration again (SIGHUP). */
  readonly onReload?: (hear: () => void) => void;
  /** Absent where nobody can answer. */
  readonly terminal?: Terminal;
  /** The configuration file, loaded on first use. Throws `config_missing`, or `config_invalid` with every problem. */
  config(): Promise<Configuration>;
  /** Reads it anew. */
  readConfig(): Promise<Configuration>;
}
