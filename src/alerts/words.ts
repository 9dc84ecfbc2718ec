/** A notice in words: one line, a few lines, a page. The same for every channel. */
import { printable } from '../base/printable.ts';
import type { Notice, NoticeAlert } from './notice.ts';

/** Such as `[CRITICAL] clinic: The backup failed`. */
export function headline(notice: Notice): string {
  const { event, alert, digest } = notice;
  if (event === 'test') return 'Test of this channel: it works';
  if (digest !== undefined) return `${digest.count} more changes of alerts within a minute`;
  if (alert === undefined) return 'Alert';
  return `[${stamp(notice, alert)}] ${subject(alert)}`;
}

/** The same whatever happens to it, so that mail programs keep an incident together. */
export function subject(alert: NoticeAlert): string {
  const about = alert.app ?? alert.storage;
  return printable(about === null ? alert.title : `${about}: ${alert.title}`);
}

function stamp({ event }: Notice, alert: NoticeAlert): string {
  if (event === 'resolve') return 'RESOLVED';
  if (event === 'acknowledge') return 'ACKNOWLEDGED';
  if (event === 'escalate') return `${alert.severity}, ESCALATED`;
  return alert.severity;
}

/** Name and value, in the order they matter. */
export function facts(notice: Notice): readonly (readonly [string, string])[] {
  const { alert } = notice;
  if (alert === undefined) return [];
  const rows: (readonly [string, string | null])[] = [
    ['Severity', alert.severity],
    ['State', alert.state],
    ['App', alert.app],
    ['Storage', alert.storage],
    ['Run', alert.run],
    ['Rule', alert.rule],
    ['First seen', alert.first_at],
    ['Last seen', alert.count > 1 ? `${alert.last_at} (${alert.count} times)` : null],
    ['Acknowledged by', withNote(alert.acknowledged_by, alert.acknowledge_note)],
    ['Resolved', alert.resolved_at],
    ['Resolved by', alert.resolved_by],
    ['Note', alert.resolve_note],
    ['Alert', alert.id],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)] as const]));
}

function withNote(by: string | null, note: string | null): string | null {
  return by === null || note === null ? by : `${by}: ${note}`;
}

/** What happened, in whole sentences; lines are kept. */
export function body(notice: Notice): string {
  const { event, alert, digest } = notice;
  if (event === 'test') return 'Somebody pressed the test button. Nothing is wrong.';
  if (digest !== undefined) return digestLines(digest).join('\n');
  if (alert === undefined) return '';
  const about = lines(alert.message);
  const freeze = 'Nothing is removed by retention until a person resolves this alert.';
  const frozen = alert.freezes_retention && event !== 'resolve' ? `\n\n${freeze}` : '';
  if (event === 'resolve') return `${lines(alert.resolve_note ?? 'It is over.')}\n\nIt was: ${about}`;
  if (event === 'acknowledge')
    return `${printable(alert.acknowledged_by ?? 'Somebody')} takes care of it.\n\nIt is: ${about}`;
  if (event === 'escalate') return `Nobody took care of it since ${alert.first_at}.\n\n${about}${frozen}`;
  return `${about}${frozen}`;
}

function digestLines({ count, first }: NonNullable<Notice['digest']>): string[] {
  const shown = first.map(({ event, severity, app, title }) => {
    const what = event === 'resolve' ? 'RESOLVED' : event === 'acknowledge' ? 'ACKNOWLEDGED' : severity;
    return `[${what}] ${printable(app === null ? title : `${app}: ${title}`)}`;
  });
  return count > shown.length ? [...shown, `and ${count - shown.length} more`] : shown;
}

function lines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Everything, as plain text. */
export function page(notice: Notice): string {
  const rows = facts(notice).map(([name, value]) => `${name}: ${value}`);
  const link = notice.link === undefined ? [] : [notice.link];
  return [body(notice), rows.join('\n'), ...link].filter((part) => part !== '').join('\n\n');
}
