/** Alerts and what was sent about them, for people. */
import type { Alert, Delivery, Mute } from '../../api/alerts.ts';
import { formatCount } from '../../base/how-many.ts';
import { moment, momentIfAny, pairs, printFacts } from './facts.ts';
import type { Column, Output } from './output.ts';
import type { Style } from './style.ts';

export const alertColumns = (style: Style): readonly Column<Alert>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'SEVERITY', value: ({ severity }) => severity, paint: (text, alert) => paintSeverity(style, alert, text) },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'SINCE', value: ({ first_at }) => moment(first_at) },
  { title: 'SEEN', value: ({ count }) => formatCount(count), align: 'right' },
  { title: 'ABOUT', value: ({ app, storage }) => storage ?? app ?? '–' },
  { title: 'TITLE', value: ({ title }) => title, shrinks: true },
];

export const deliveryColumns: readonly Column<Delivery>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'TIME', value: ({ created_at }) => moment(created_at) },
  { title: 'CHANNEL', value: ({ channel }) => channel },
  { title: 'WHAT', value: ({ event }) => event },
  { title: 'STATE', value: ({ state, attempts }) => (attempts > 1 ? `${state} (${attempts} attempts)` : state) },
  { title: 'ALERT', value: ({ alert }) => alert ?? '–' },
  { title: 'ANSWER', value: ({ error, status }) => error ?? status ?? '', shrinks: true },
];

export const muteColumns: readonly Column<Mute>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'UNTIL', value: ({ until }) => moment(until) },
  { title: 'MUTES', value: ({ rule, app, storage, severity }) => everything({ rule, app, storage, severity }) },
  { title: 'BY', value: ({ created_by }) => created_by },
  { title: 'WHY', value: ({ reason }) => reason ?? '', shrinks: true },
];

/** Everything about one. */
export async function printAlert(output: Output, alert: Alert): Promise<void> {
  const { acknowledged, resolved } = alert;
  await printFacts(output, alert.title, [
    ['alert', alert.id],
    ['severity', alert.severity, (text) => paintSeverity(output.style, alert, text)],
    ['state', alert.state],
    ['rule', alert.rule],
    ['app', alert.app],
    ['storage', alert.storage],
    ['run', alert.run],
    ['says', alert.message],
    ['details', pairs(alert.details)],
    ['first seen', moment(alert.first_at)],
    ['last seen', `${moment(alert.last_at)}, ${formatCount(alert.count)} times`],
    ['taken by', acknowledged && act(acknowledged)],
    ['resolved', resolved && (resolved.by === null ? `by itself, ${moment(resolved.at)}` : act(resolved))],
    ['muted until', momentIfAny(alert.muted_until)],
    ['freezes', alert.freezes_retention ? 'retention: nothing is removed until somebody resolves it' : null],
  ]);
}

/** A delivery, once more or as a test: `sent`, or why not. */
export async function printDelivery(output: Output, { id, channel, state, error, status }: Delivery): Promise<void> {
  const answer = error ?? status;
  await output.line(`${channel}: ${state}${answer === null ? '' : `, ${answer}`} (delivery ${id})`);
}

function act({
  by,
  at,
  note,
}: {
  readonly by: string | null;
  readonly at: string;
  readonly note: string | null;
}): string {
  return `${by}, ${moment(at)}${note === null ? '' : `: ${note}`}`;
}

function everything(matches: Readonly<Record<string, string | null>>): string {
  const said = Object.entries(matches).filter(([, value]) => value !== null);
  return said.length === 0 ? 'everything' : pairs(Object.fromEntries(said));
}

function paintSeverity(style: Style, { severity, state }: Alert, text: string): string {
  if (state === 'RESOLVED' || severity === 'INFO') return text;
  return severity === 'WARNING' ? style.yellow(text) : style.red(text);
}
