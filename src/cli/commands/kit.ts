/** `holdfast kit`: the recovery kit. */
import { resolve } from 'node:path';
import { getKit } from '../../api/system.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { collectKit, recoveryKit } from '../../operations/kit.ts';
import { refuseOtherKit } from '../../operations/kit-files.ts';
import { defineCommand, option } from '../command.ts';
import { openSession } from '../open-session.ts';
import { writeFileWhole } from '../output/write-file.ts';

export default defineCommand({
  details:
    'A page to print and keep off site: where the backups are, what opens them, and the exact commands to restore with Holdfast and with ' +
    'plain restic and PostgreSQL. The password is left out unless asked for.',
  options: {
    format: option.choice('FORMAT', ['text', 'html'], 'how it is written (default: text)'),
    output: option.text('FILE', 'write it there, readable by its owner only, instead of printing it'),
    withPassword: option.flag('print the password on it: whoever has the page can then read every backup'),
  },
  examples: [
    ['holdfast kit', 'read it'],
    ['holdfast kit --format html --output kit.html', 'a page for the printer'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  left: 'Nothing was changed.',
  async run(context, { options: { format = 'text', output: file, withPassword } }) {
    const { output, flags, cwd } = context;
    await using session = await openSession(context);
    const kit = await collectKit(session, {
      config: await context.config(),
      programVersion: context.build.version,
      withPassword,
    });
    const page = recoveryKit(kit, format);
    if (file !== undefined) {
      await refuseOtherKit(resolve(cwd, file), kit.repositoryId);
      await writeFileWhole(resolve(cwd, file), page);
      if (flags.json) await output.summary({ file: resolve(cwd, file), format });
      else
        await output.line(`The recovery kit is in ${resolve(cwd, file)}. Print it and keep it away from this machine.`);
    } else if (flags.json) await output.document(kit);
    else await output.raw(page);
    return EXIT.done;
  },
  /** Without the password, which no server hands out. */
  async remote({ output, flags, cwd, server }, { options: { format = 'text', output: file, withPassword } }) {
    if (withPassword || (flags.json && file === undefined))
      throw new Failure('usage', 'Through a server there is the page only, and never with the password on it.');
    const parts = await Array.fromAsync(server.client.bytes(getKit, { query: { format } }));
    const page = Buffer.concat(parts).toString();
    if (file === undefined) await output.raw(page);
    else await writeFileWhole(resolve(cwd, file), page);
    if (flags.json) await output.summary({ file: resolve(cwd, file ?? ''), format });
    return EXIT.done;
  },
});
