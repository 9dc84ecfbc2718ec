/** How the shell knows a command before it is loaded, and finds the one that is meant. */
import type { Command } from './command.ts';

export type Group =
  | 'Protect'
  | 'Look'
  | 'Restore'
  | 'Move'
  | 'Disaster recovery'
  | 'WAL archive'
  | 'Care'
  | 'Runs and schedules'
  | 'Alerts'
  | 'Service'
  | 'Set up';

export interface Registration {
  /** One word, or two for a command of a family: `key add`. */
  readonly name: string;
  readonly group: Group;
  /** One line, no full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly default: Command }>;
  /**
   * Whatever goes wrong ends with this status: for a command whose caller is a program that takes other statuses for answers. It holds for
   * mistakes in the command line and in the configuration, interruptions, and code that cannot be loaded, too.
   */
  readonly failureStatus?: number;
}

export type Found =
  | { readonly kind: 'command'; readonly registration: Registration; readonly words: number }
  | { readonly kind: 'family'; readonly family: string; readonly members: readonly Registration[] }
  | { readonly kind: 'unknown' };

/** The command that `words` begin with. */
export function findCommand(words: readonly string[], registrations: readonly Registration[]): Found {
  const [first, second] = words;
  const two = registrations.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { kind: 'command', registration: two, words: 2 };
  const one = registrations.find(({ name }) => name === first);
  if (one !== undefined) return { kind: 'command', registration: one, words: 1 };
  const members = registrations.filter(({ name }) => name.startsWith(`${first} `));
  return members.length > 0 ? { kind: 'family', family: first!, members } : { kind: 'unknown' };
}

/** The status with which a failure must end, when the words of a command that fixes one stand in the line, in whatever state the line is. */
export function failureStatusOf(argv: readonly string[], registrations: readonly Registration[]): number | undefined {
  const line = ` ${argv.join(' ')} `;
  return registrations.find(({ name, failureStatus }) => failureStatus !== undefined && line.includes(` ${name} `))
    ?.failureStatus;
}
