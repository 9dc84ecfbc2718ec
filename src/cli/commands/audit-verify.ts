/** `holdfast audit verify`: whether the audit log fits together, and is the one that the storages know. */
import { asFailure, EXIT, Failure } from '../../base/failure.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { type AuditCheck, type AuditLog, openAuditLog } from '../../service/audit.ts';
import { defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Finds entries that were changed, removed or put in, and an end that was cut off. Whoever can write the catalog could write a whole new ' +
    'log, too: so the log is held against the heads that are kept in the storages with each copy of the catalog. Where no storage can be ' +
    'asked this says so and ends with 3. A head that you noted yourself is given back with --head. After a catalog was replaced on purpose, ' +
    '--accept says why, and the heads of before count no more.',
  options: {
    head: option.text('N:HASH', 'a head that was noted earlier: the log must still hold it'),
    accept: option.text('WHY', 'the log is another one than before, on purpose'),
    withoutStorages: option.flag('look at the log by itself'),
  },
  examples: [
    ['holdfast audit verify', 'whether the log fits together and is the one the storages know'],
    ['holdfast audit verify --head 1207:9f2c…', 'and whether it still holds this entry'],
    ['holdfast audit verify --accept "new machine, old catalog lost"', 'the log begins anew'],
  ],
  exits: [EXIT.partial, EXIT.damaged],
  async run(context, { options: { head, accept, withoutStorages } }) {
    if (accept !== undefined && withoutStorages)
      throw new Failure('usage', 'What is accepted is kept in the storages: leave --without-storages out.');
    await using log = await openAuditLog(await context.config());
    const asked = { known: head === undefined ? undefined : parseHead(head), signal: context.signal };
    if (accept !== undefined) await acceptWith(context, log, accept);
    const { check, problem } = withoutStorages
      ? { check: await log.verify(undefined, asked), problem: 'it was not asked for' }
      : await verifyWith(context, log, asked);
    await show(context, check, problem);
    return check.comparison === undefined && !withoutStorages ? EXIT.partial : EXIT.done;
  },
});

async function acceptWith(context: Context, log: AuditLog, why: string): Promise<void> {
  await using session = await openSession(context);
  await log.accept(session, why);
}

/** Against the storages; where none can be asked, by itself and with the reason. */
async function verifyWith(
  context: Context,
  log: AuditLog,
  asked: Parameters<AuditLog['verify']>[1],
): Promise<{ readonly check: AuditCheck; readonly problem?: string }> {
  try {
    await using session = await openSession(context);
    return { check: await log.verify(session, asked) };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'audit_broken' || failure.code === 'catalog_failed' || context.signal.aborted) throw error;
    return { check: await log.verify(undefined, asked), problem: failure.message };
  }
}

async function show({ flags, output }: Context, { head, comparison }: AuditCheck, problem?: string): Promise<void> {
  const written = `${head.seq}:${head.hash}`;
  if (flags.json) {
    const compared = comparison && {
      heads: comparison.heads,
      newest: comparison.newest === undefined ? null : shown(comparison.newest),
      accepted: comparison.accepted === undefined ? null : shown(comparison.accepted),
      storages: comparison.storages,
      unread: comparison.unread,
    };
    await output.summary({ entries: head.seq, head: written, compared: compared ?? null, problem: problem ?? null });
    return;
  }
  await output.line(`${head.seq} entries, all as they were written.`);
  for (const line of wordsOf(comparison, problem)) await output.line(line);
  await output.line(`Head: ${written}`);
}

type Comparison = NonNullable<AuditCheck['comparison']>;

function shown({ seq, time, by, why }: NonNullable<Comparison['newest']>) {
  return { seq, time: new Date(time).toISOString(), ...(by === '' ? {} : { by, why }) };
}

function wordsOf(comparison: Comparison | undefined, problem = ''): string[] {
  if (comparison === undefined)
    return [
      `NOT compared with what the storages keep of it: ${problem}`,
      'A log that was forged whole would look the same.',
    ];
  const { heads, newest, accepted, storages, unread } = comparison;
  const where = `${storages.join(', ')}${unread.length === 0 ? '' : `; could not be read: ${unread.join(', ')}`}`;
  const compared =
    newest === undefined
      ? `The storages keep no head of it yet (${where}): the service keeps one with each copy of the catalog.`
      : `It is the log that the storages know (${where}): ${heads} heads, the newest of entry ${newest.seq}, ${formatUtcAndLocal(newest.time)}.`;
  const since =
    accepted && `Heads from before ${formatUtcAndLocal(accepted.time)} do not count: ${accepted.why} (${accepted.by})`;
  return [compared, ...(since === undefined ? [] : [since])];
}

function parseHead(written: string): { readonly seq: number; readonly hash: string } {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(written) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Failure('usage', 'The head does not fit.', { hint: 'Write it as "audit verify" printed it: N:HASH.' });
  return { seq: Number(seq), hash };
}
