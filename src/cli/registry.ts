/** Every command, in the order of `--help`. Only names and summaries live here; a command's code is loaded when it runs. */
import type { Group, Registration } from './registration.ts';

export const registry: readonly Registration[] = [
  ...group('Protect', [entry('backup', 'make a restore point', () => import('./commands/backup.ts'))]),
  ...group('Look', [
    entry('status', 'are we safe', () => import('./commands/status.ts')),
    entry('points', 'the restore points, newest last', () => import('./commands/points.ts')),
    entry('show', 'one point: sources, sizes, manifest, proof', () => import('./commands/show.ts')),
    entry('ls', 'what is in a point', () => import('./commands/ls.ts')),
    entry('cat', 'the bytes of one file of a point', () => import('./commands/cat.ts')),
    entry('find', 'every version of a file across points', () => import('./commands/find.ts')),
    entry('wal events', 'what happened to the data, and the moment before', () => import('./commands/wal-events.ts')),
    entry('diff', 'what changed between two points', () => import('./commands/diff.ts')),
  ]),
  ...group('Restore', [
    entry('restore', 'get a point, part of one, or any moment back', () => import('./commands/restore.ts')),
    entry('rows', 'rows as they were, into a file or back', () => import('./commands/rows.ts')),
    entry('rows diff', 'what differs in a table since a moment', () => import('./commands/rows-diff.ts')),
    entry('sandbox', 'a throw-away PostgreSQL with the database as it was', () => import('./commands/sandbox.ts')),
  ]),
  ...group('Move', [
    entry('export', 'a point as one file that needs nothing else', () => import('./commands/export.ts')),
    entry('import', 'such a file back into a directory', () => import('./commands/import.ts')),
  ]),
  ...group('Disaster recovery', [
    entry('runbook show', 'the steps of a recovery, to read and print', () => import('./commands/runbook-show.ts')),
    entry('runbook drill', 'rehearse it, by the clock', () => import('./commands/runbook-drill.ts')),
    entry('runbook run', 'carry it out', () => import('./commands/runbook-run.ts')),
  ]),
  ...group('Runs and schedules', [
    entry('runs list', 'what ran, what runs, what waits', () => import('./commands/runs-list.ts')),
    entry('runs show', 'one run, with its steps and its error', () => import('./commands/runs-show.ts')),
    entry('runs log', 'what it said', () => import('./commands/runs-log.ts')),
    entry('runs steps', 'what it did, and how long each step took', () => import('./commands/runs-steps.ts')),
    entry('runs start', 'ask the service for a run', () => import('./commands/runs-start.ts')),
    entry('runs follow', 'how it goes, until it is over', () => import('./commands/runs-follow.ts')),
    entry('runs cancel', 'stop it, or see that it does not begin', () => import('./commands/runs-cancel.ts')),
    entry('runs retry', 'the same once more', () => import('./commands/runs-retry.ts')),
    entry('runs say', 'answer a run that asks, pause it, leave a note', () => import('./commands/runs-say.ts')),
    entry('runs inputs', 'what people said to it', () => import('./commands/runs-inputs.ts')),
    entry('runs result', 'the file that it made', () => import('./commands/runs-result.ts')),
    entry('runs kinds', 'what can be run, and its parameters', () => import('./commands/runs-kinds.ts')),
  ]),
  ...group('Alerts', [
    entry('alerts list', 'what people must know', () => import('./commands/alerts-list.ts')),
    entry('alerts show', 'one alert in full', () => import('./commands/alerts-show.ts')),
    entry('alerts acknowledge', 'say that you take care of it', () => import('./commands/alerts-acknowledge.ts')),
    entry('alerts resolve', 'say that it is over', () => import('./commands/alerts-resolve.ts')),
    entry('alerts mute', 'send nothing about it for a while', () => import('./commands/alerts-mute.ts')),
    entry('alerts unmute', 'tell people of it again', () => import('./commands/alerts-unmute.ts')),
    entry('mutes list', 'what nothing is sent about', () => import('./commands/mutes-list.ts')),
    entry('mutes add', 'send nothing about alerts that match', () => import('./commands/mutes-add.ts')),
    entry('mutes remove', 'tell people again', () => import('./commands/mutes-remove.ts')),
    entry('deliveries list', 'what was sent, and what became of it', () => import('./commands/deliveries-list.ts')),
    entry('deliveries resend', 'send it once more', () => import('./commands/deliveries-resend.ts')),
    entry('channels list', 'how people are told', () => import('./commands/channels-list.ts')),
    entry('channels test', 'send a test over one', () => import('./commands/channels-test.ts')),
  ]),
  ...group('Service', [
    entry('serve', 'schedules, alerts and the API, all the time', () => import('./commands/serve.ts')),
    entry('worker', 'carry out what the service asks for', () => import('./commands/worker.ts')),
    entry('user add', 'somebody who may log in', () => import('./commands/user-add.ts')),
    entry('user list', 'who may log in, and what they may do', () => import('./commands/user-list.ts')),
    entry('user passwd', 'another password for an account', () => import('./commands/user-passwd.ts')),
    entry('user grant', 'what an account may do', () => import('./commands/user-grant.ts')),
    entry('user revoke', 'what it may do no more', () => import('./commands/user-revoke.ts')),
    entry('user remove', 'an account, with all that is its own', () => import('./commands/user-remove.ts')),
    entry('token create', 'a token for a program', () => import('./commands/token-create.ts')),
    entry('token list', 'every token, and when it was used', () => import('./commands/token-list.ts')),
    entry('token revoke', 'a token that opens nothing any more', () => import('./commands/token-revoke.ts')),
    entry('audit list', 'who did what', () => import('./commands/audit-list.ts')),
    entry('audit export', 'the audit log as text, for another place', () => import('./commands/audit-export.ts')),
    entry('audit verify', 'whether the audit log fits together', () => import('./commands/audit-verify.ts')),
    entry(
      'catalog rebuild',
      'the list of points anew from the storages',
      () => import('./commands/catalog-rebuild.ts'),
    ),
    entry('catalog save', 'a copy of the catalog into the storages', () => import('./commands/catalog-save.ts')),
    entry('catalog export', 'the whole catalog into a file', () => import('./commands/catalog-export.ts')),
    entry('catalog import', 'a copy of the catalog put back', () => import('./commands/catalog-import.ts')),
  ]),
  ...group('WAL archive', [
    entry('wal push', 'for archive_command: one file into the archive', () => import('./commands/wal-push.ts')),
    entry('wal stream', "receive the database's log all the time", () => import('./commands/wal-stream.ts')),
    entry('wal fetch', 'for restore_command: one file of the archive', () => import('./commands/wal-fetch.ts'), {
      failureStatus: 255,
    }),
    entry('wal status', 'windows, gaps, lag, what would be lost', () => import('./commands/wal-status.ts')),
    entry('wal fold', 'old WAL into snapshots that restic reads', () => import('./commands/wal-fold.ts')),
  ]),
  ...group('Care', [
    entry('check', 'is everything there and whole', () => import('./commands/check.ts')),
    entry('verify', 'is a point all there, or a slice of everything readable', () => import('./commands/verify.ts')),
    entry('prove', 'really restore a point, check it, drop it', () => import('./commands/prove.ts')),
    entry('proofs', 'the reports of proofs', () => import('./commands/proofs.ts')),
    entry('sync', 'bring the storages level, heal what is damaged', () => import('./commands/sync.ts')),
    entry('prune', 'apply retention, free space', () => import('./commands/prune.ts')),
    entry('pin', 'keep a point whatever retention says', () => import('./commands/pin.ts')),
    entry('unpin', 'leave a point to retention again', () => import('./commands/unpin.ts')),
    entry('forget', 'remove one point', () => import('./commands/forget.ts')),
  ]),
  ...group('Set up', [
    entry('doctor', 'what is wrong with this set-up and how to mend it', () => import('./commands/doctor.ts')),
    entry('init', 'create the repository on every storage', () => import('./commands/init.ts')),
    entry('kit', 'the recovery kit: a page that restores without this server', () => import('./commands/kit.ts')),

    entry('key add', 'one more password', () => import('./commands/key-add.ts')),
    entry('key list', 'the key files, one for each password', () => import('./commands/key-list.ts')),
    entry('key remove', 'take a password back', () => import('./commands/key-remove.ts')),
    entry('key passwd', 'another password in place of the one in use', () => import('./commands/key-passwd.ts')),
    entry('config validate', 'say everything that is wrong with it', () => import('./commands/config-validate.ts')),
    entry('config show', 'effective values and their origins', () => import('./commands/config-show.ts')),
    entry('config schema', 'the JSON Schema of the file', () => import('./commands/config-schema.ts')),
    entry('completion', 'script for bash, zsh or fish', () => import('./commands/completion.ts')),
    entry('version', 'the version of this program', () => import('./commands/version.ts')),
  ]),
];

type Ungrouped = Omit<Registration, 'group'>;

function group(name: Group, entries: readonly Ungrouped[]): Registration[] {
  return entries.map((each) => ({ ...each, group: name }));
}

function entry(
  name: string,
  summary: string,
  load: Registration['load'],
  more: Pick<Registration, 'failureStatus'> = {},
): Ungrouped {
  return { name, summary, load, ...more };
}
