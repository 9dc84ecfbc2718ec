/** The moment that the options of a command name: at most one of --at, --lsn, --xid, --name, --immediate. */
import { Failure } from '../base/failure.ts';
import { formatUtcAndLocal } from '../base/relative-time.ts';
import { type MomentTarget, parseLsn } from '../operations/restore-moment.ts';
import { momentTarget } from './moment.ts';
import { option } from './options.ts';

export interface NamedMoment {
  readonly target: Exclude<MomentTarget, { kind: 'point' }>;
  /** For the record: absolute, in UTC. */
  readonly requested: string;
  /** For people: also in local time. */
  readonly shown: string;
}

/** Declared by the commands that take a moment. */
export const MOMENT_OPTIONS = {
  at: option.text('TIME', 'the database as it was at this time: RFC 3339 with a zone, "10m ago", or "latest"'),
  lsn: option.text('L', 'up to this position of the log, such as 0/3A1F2B8'),
  xid: option.integer('X', 'up to the commit of this transaction, with it', 3),
  name: option.text('N', 'up to this restore point (pg_create_restore_point), with it'),
  immediate: option.flag('as soon as the newest base is consistent, without more of the log'),
} as const;

interface MomentChoices {
  readonly at: string | undefined;
  readonly lsn: string | undefined;
  readonly xid: number | undefined;
  readonly name: string | undefined;
  readonly immediate: boolean;
}

/** Undefined when none is named. Throws `usage` when several are. */
export function namedMoment(choices: MomentChoices, now: number): NamedMoment | undefined {
  const { at, lsn, xid, name, immediate } = choices;
  const named = [
    at === undefined ? undefined : momentAt(at, now),
    lsn === undefined ? undefined : plain({ kind: 'lsn', lsn: position(lsn) }, `--lsn ${lsn}`),
    xid === undefined ? undefined : plain({ kind: 'xid', xid }, `--xid ${xid}`),
    name === undefined ? undefined : plain({ kind: 'name', name }, `--name ${name}`),
    immediate ? plain({ kind: 'immediate' }, '--immediate') : undefined,
  ].filter((moment) => moment !== undefined);
  if (named.length <= 1) return named[0];
  throw new Failure(
    'usage',
    'Only one moment can be restored: --at, --lsn, --xid, --name and --immediate exclude each other.',
  );
}

/** `latest`, or a time. Throws `usage`. */
export function momentAt(text: string, now: number): NamedMoment {
  const { target, asked } = momentTarget(text, now);
  const shown = target.kind === 'time' ? formatUtcAndLocal(Number(target.time / 1000n)) : asked;
  return { target, requested: target.kind === 'time' ? asked : text, shown };
}

function plain(target: NamedMoment['target'], requested: string): NamedMoment {
  return { target, requested, shown: requested };
}

function position(text: string): bigint {
  try {
    return parseLsn(text);
  } catch {
    throw new Failure('usage', `--lsn: "${text}" is not a position of the log.`, {
      hint: 'Write it as PostgreSQL does: 0/3A1F2B8.',
    });
  }
}
