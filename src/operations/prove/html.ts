/** A report as one page: complete in itself, made to be read, printed and filed by somebody who was not there. */
import { formatDuration } from '../../base/durations.ts';
import { formatCount, howMany } from '../../base/how-many.ts';
import { html } from '../../base/html.ts';
import {
  barHtml,
  factsHtml,
  markHtml,
  pageHtml,
  SIGNATURE,
  type State,
  timeOnPage,
  verdictHtml,
} from '../../base/page.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { Finding } from '../../recovery/prove.ts';
import type { ProofReport } from './report.ts';
import { CHECK_MEANINGS, describeLevel, describeOutcome, describeRto } from './words.ts';

export function reportPage(report: ProofReport): string {
  const body = [
    verdict(report),
    figures(report),
    section(report.outcome === 'passed' ? 'What was proven' : 'What was tried', facts(report)),
    section('How long it took', steps(report), 'whole'),
    report.checks.length === 0 ? '' : section('What was looked at', checks(report.checks)),
    section('What this does not show', items(report.not_shown, 'plain'), 'whole'),
    section('With what', surroundings(report), 'whole'),
    SIGNATURE,
  ];
  return pageHtml({
    title: `Proof of recovery: ${report.app}`,
    kicker: `Holdfast · report ${report.id}`,
    subtitle: subtitle(report),
    body: body.join('\n'),
    footer: `Made by Holdfast ${html(report.versions.holdfast)} from report <code>${html(report.id)}</code>, which is kept, sealed, in the repository with the backups.
No content of any row is in it.`,
  });
}

function subtitle({ moment, short_id, point_time }: ProofReport): string {
  if (moment !== null) return `The state as of ${moment.asked}, recovered from point ${short_id}`;
  return short_id === null ? 'No point was restored' : `Point ${short_id}, the state of ${timeOnPage(point_time)}`;
}

/** What an outcome, of the whole or of a check, is to the eye. */
const STATES: Readonly<Record<string, State>> = {
  ...{ passed: 'good', failed: 'bad', error: 'bad', incomplete: 'warn', skipped: 'warn' },
};

function verdict(report: ProofReport): string {
  const { headline, sentence } = describeOutcome(report);
  return verdictHtml(STATES[report.outcome] ?? 'rest', headline, sentence);
}

function figures({ rto_seconds, rto_objective_seconds: promised, counts, checks: findings }: ProofReport): string {
  const goal = promised === null ? 'nothing is promised' : `promised: ${formatDuration(promised * 1000)}`;
  const late = rto_seconds !== null && promised !== null && rto_seconds > promised;
  const passed = findings.filter(({ outcome }) => outcome === 'passed').length;
  const cells: [string, string][] = [
    [rto_seconds === null ? '–' : formatDuration(rto_seconds * 1000), `time to restore, measured; ${goal}`],
    [`${passed} of ${findings.length}`, 'checks passed'],
    [formatCount(counts.rows), `rows in ${howMany(counts.tables, 'tables')}`],
    [formatBytes(counts.database_bytes), 'of databases'],
    [formatCount(counts.files), `${counts.files === 1 ? 'file' : 'files'}, ${formatBytes(counts.file_bytes)}`],
  ];
  const warning = late ? `<p>${markHtml('bad', 'slower than promised')}</p>` : '';
  return `<div class="figures">${cells.map(([value, what]) => `<div><b>${html(value)}</b><span>${html(what)}</span></div>`).join('')}</div>${warning}`;
}

function facts(report: ProofReport): string {
  const { moment, failure } = report;
  return factsHtml([
    ['App', report.app],
    [
      'Restore point',
      report.point === null ? 'none' : `${report.point}${report.label === null ? '' : ` (${report.label})`}`,
    ],
    ['It holds the state of', timeOnPage(report.point_time)],
    ...(moment === null ? [] : momentFacts(moment)),
    ['Read from', report.storage === null ? 'no storage' : `storage ${report.storage}, and from no other`],
    ['Begun', timeOnPage(report.time)],
    ['Ended', timeOnPage(report.finished)],
    ['By', report.by],
    ['Time to restore', describeRto(report)],
    ['Level of the point', describeLevel(report)],
    ...(failure === null ? [] : ([['Ended with', `${failure.message} (${failure.code})`]] as const)),
  ]);
}

function momentFacts(moment: NonNullable<ProofReport['moment']>): (readonly [string, string])[] {
  return [
    ['Asked for', moment.asked],
    ['Reached', `${moment.reached_lsn}, last transaction ${moment.reached_time ?? 'unknown'}`],
    ['Files from', moment.files_point ?? 'none'],
  ];
}

function steps({ steps: all, total_seconds, rto_seconds }: ProofReport): string {
  const longest = Math.max(...all.map(({ seconds }) => seconds), 0.001);
  const rows = all.map(
    ({ step, seconds }) =>
      `<tr><th scope="row">${html(step)}</th><td class="number">${timeTaken(seconds)}</td><td class="track">${barHtml(seconds / longest)}</td></tr>`,
  );
  const upTo = rto_seconds === null ? '' : `, of which ${formatDuration(rto_seconds * 1000)} until everything was back`;
  return `<table><thead><tr><th scope="col">Step</th><th scope="col" class="number">Time</th><td class="track"></td></tr></thead><tbody>${rows.join('')}</tbody></table>
<p>Altogether ${html(formatDuration(total_seconds * 1000))}${html(upTo)}.</p>`;
}

/** What stands before the sentence of what a check shows. */
const MEANING_OF: Readonly<Record<string, string>> = { passed: '', failed: 'Should be so: ', skipped: 'Not decided: ' };

function checks(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const { check, source, outcome, counted, unit, duration_s } = finding;
    const meaning = outcome in MEANING_OF ? `${MEANING_OF[outcome]}${CHECK_MEANINGS[check] ?? ''}` : '';
    const seen = counted === 0 && outcome === 'skipped' ? '–' : howMany(counted, unit);
    return `<tr><th scope="row"><strong>${html(check)}</strong> <span class="source">${html(source)}</span><br>${html(meaning)}${remarks(finding)}</th>
<td>${markHtml(STATES[outcome] ?? 'rest', outcome)}</td><td class="number">${html(seen)}</td><td class="number">${timeTaken(duration_s)}</td></tr>`;
  });
  return `<table class="checks"><thead><tr><th scope="col">Check</th><th scope="col">Outcome</th><th scope="col" class="number">Looked at</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`;
}

function remarks({ details, problems, notes }: Finding): string {
  const more = problems > details.length ? [`… and ${problems - details.length} more`] : [];
  const wrong = [...details, ...more];
  return `${wrong.length === 0 ? '' : items(wrong, 'wrong')}${notes.length === 0 ? '' : items(notes, 'notes')}`;
}

function surroundings({ versions, machine, storages }: ProofReport): string {
  const servers = Object.entries(versions.postgres).map(
    ([source, { original, started }]): readonly [string, string] => [
      `PostgreSQL (${source})`,
      `${started}; the backup is of ${original}`,
    ],
  );
  return factsHtml([
    ...Object.entries(storages).map(([name, what]) => [`Storage ${name}`, what] as const),
    ...servers,
    ['Holdfast', `${versions.holdfast}, Node.js ${versions.node}`],
    ['Machine', `${machine.hostname}: ${machine.system}, ${machine.kernel}, ${machine.architecture}`],
    ['Processors, memory', `${machine.cpu}; ${formatBytes(machine.memory_bytes)}`],
  ]);
}

/** `4.0 s`, and from a minute on `1 h 40 min`. */
function timeTaken(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatDuration(seconds * 1000);
}

function section(title: string, body: string, kind?: 'whole'): string {
  return `<section${kind === undefined ? '' : ` class="${kind}"`}>\n<h2>${html(title)}</h2>\n${body}\n</section>`;
}

function items(sentences: readonly string[], kind: string): string {
  return `<ul class="${kind}">${sentences.map((sentence) => `<li>${html(sentence)}</li>`).join('')}</ul>`;
}
