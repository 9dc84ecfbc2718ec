/** What commands about schedules share: which one is meant, and the settings that can be given. */
import { listSchedules, type Schedule } from '../api/schedules.ts';
import { Failure } from '../base/failure.ts';
import { argument, option } from './command.ts';
import { collect } from './listing.ts';
import { moment } from './output/facts.ts';
import type { RemoteContext } from './remote.ts';
import { paramOptions } from './run-params.ts';

export const scheduleArgument = argument.required('SCHEDULE', 'its name, or its id');

export const settingOptions = {
  name: option.text('NAME', 'unique within its app'),
  ...paramOptions,
  timezone: option.text('ZONE', 'whose clock the times are, such as Europe/Madrid'),
  jitter: option.duration('TIME', 'begin up to so much later'),
  catchUp: option.choice('YES', ['yes', 'no'], 'whether it is run once when it was due while nothing was running'),
  blackout: option.texts(
    'SPAN',
    'no runs begin then: 08:00-18:00, or mon,tue,fri 08:00-18:00 (may be given several times)',
  ),
  priority: option.integer('N', 'up to 100, higher first'),
  retries: option.integer('N', 'how often what may go well later is tried again'),
  timeLimit: option.duration('TIME', 'a run that takes longer is stopped'),
  label: option.texts('NAME=VALUE', 'a label that the worker must have (may be given several times)'),
};

interface Given {
  readonly name: string | undefined;
  readonly timezone: string | undefined;
  readonly jitter: number | undefined;
  readonly catchUp: 'yes' | 'no' | undefined;
  readonly blackout: readonly string[];
  readonly priority: number | undefined;
  readonly retries: number | undefined;
  readonly timeLimit: number | undefined;
  readonly label: readonly string[];
}

/** As the API takes them; what was not given is left out. Throws `usage`. */
export function settingsOf({ name, timezone, priority, retries, ...rest }: Given) {
  const { jitter, catchUp, blackout, timeLimit, label } = rest;
  return {
    ...{ name, timezone, priority, retries },
    jitter_s: jitter === undefined ? undefined : jitter / 1000,
    catch_up: catchUp === undefined ? undefined : catchUp === 'yes',
    blackout: blackout.length === 0 ? undefined : blackout.map(spanOf),
    time_limit_s: timeLimit === undefined ? undefined : timeLimit / 1000,
    labels: label.length === 0 ? undefined : Object.fromEntries(label.map(pairOf)),
  };
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

function spanOf(text: string) {
  const [, days, from = '', to = ''] = /^(?:([a-z,]+) +)?([\d:]+)-([\d:]+)$/.exec(text.trim()) ?? [];
  const named = days?.split(',').map((day) => DAYS.find((known) => known === day));
  if (from === '' || named?.includes(undefined))
    throw new Failure('usage', `--blackout: "${text}" is no span of a day.`, {
      hint: 'Write it like 08:00-18:00, or mon,tue,fri 08:00-18:00.',
    });
  return { from, to, ...(named === undefined ? {} : { days: named as (typeof DAYS)[number][] }) };
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new Failure('usage', `--label: "${text}" is no NAME=VALUE.`);
}

const MOST = 1_000_000;

/** The id of the schedule that is meant. Throws `schedule_unknown`, and `usage` where several apps have one of that name. */
export async function scheduleId({ server }: RemoteContext, asked: string): Promise<string> {
  if (/^[0-9a-z]{26}$/.test(asked)) return asked;
  const { items } = await collect({ limit: MOST }, (place) =>
    server.client.call(listSchedules, { query: { ...server.app, ...place } }),
  );
  const [found, another] = items.filter(({ name }) => name === asked);
  if (found === undefined)
    throw new Failure('schedule_unknown', `There is no schedule "${asked}".`, {
      hint: 'List them with "holdfast schedules".',
    });
  if (another === undefined) return found.id;
  throw new Failure('usage', `Several apps have a schedule "${asked}".`, { hint: 'Name the app with --app.' });
}

/** What became of a schedule, in a line. */
export async function reportSchedule(
  { output, flags }: RemoteContext,
  schedule: Schedule,
  what: string,
): Promise<void> {
  if (flags.json) return output.summary(schedule);
  const { name, app, id, next_at } = schedule;
  await output.line(
    `${what} ${name} of ${app} (${id}), next ${next_at === null ? 'never by itself' : moment(next_at)}.`,
  );
}
