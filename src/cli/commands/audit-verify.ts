/** `holdfast audit verify`: whether the audit log fits together. */
import { EXIT, Failure } from '../../base/failure.ts';
import { openAuditLog } from '../../service/audit.ts';
import { defineCommand, option } from '../command.ts';

export default defineCommand({
  details:
    'Finds entries that were changed, removed or put in, and an end that was cut off. Whoever can write the catalog could write a whole new ' +
    'log, too: note the head that this prints where they cannot reach it, and give it back with --head later.',
  options: { head: option.text('N:HASH', 'a head that was noted earlier: the log must still hold it') },
  examples: [
    ['holdfast audit verify', 'whether the log fits together'],
    ['holdfast audit verify --head 1207:9f2c…', 'and whether it is still the same'],
  ],
  exits: [EXIT.damaged],
  async run({ output, flags, config, signal }, { options: { head } }) {
    await using log = await openAuditLog(await config());
    const { seq, hash } = await log.verify(head === undefined ? undefined : parseHead(head), signal);
    if (flags.json) await output.summary({ entries: seq, head: `${seq}:${hash}` });
    else {
      await output.line(`${seq} entries, all as they were written.`);
      await output.line(`Head: ${seq}:${hash}`);
    }
    return EXIT.done;
  },
});

function parseHead(written: string): { readonly seq: number; readonly hash: string } {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(written) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Failure('usage', 'The head does not fit.', { hint: 'Write it as "audit verify" printed it: N:HASH.' });
  return { seq: Number(seq), hash };
}
