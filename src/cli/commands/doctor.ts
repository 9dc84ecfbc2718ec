/** `holdfast doctor`: what is wrong with this set-up and how to mend it. */

import { runDoctor } from '../../api/system.ts';
import { EXIT } from '../../base/failure.ts';
import { type DoctorFinding, doctor, gatherSetup } from '../../operations/doctor.ts';
import { defineCommand, type ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { printFindings } from '../output/findings-report.ts';

export default defineCommand({
  details:
    'Looks at the configuration, every storage (by writing, listing, reading and deleting a few small objects under "probe/"), the ' +
    'repository, every database, directory and file, and this machine. Ends with 1 when there is a problem, with 0 when there are only remarks.',
  examples: [['holdfast doctor', 'before the first backup, and whenever something seems wrong']],
  lists: true,
  left: 'Nothing was changed; a few small objects may be left under "probe/" in a storage.',
  async run(context) {
    const { clock, signal, progress, env, flags } = context;
    const input = await gatherSetup(await context.config(), {
      path: (env.PATH ?? '').split(':').filter((directory) => directory !== ''),
      ...(flags.app === undefined ? {} : { app: flags.app }),
      clock,
      signal,
      progress,
    });
    try {
      const findings = await doctor(input);
      return await show(context, findings);
    } finally {
      await Promise.all(input.stores.map((entry) => ('value' in entry ? entry.value.store.close() : undefined)));
    }
  },
  async remote(context) {
    const { document, app } = context.server;
    const { findings } = await document<{ findings: readonly DoctorFinding[] }>(runDoctor, { query: app });
    return show(context, findings);
  },
});

async function show(context: Context, findings: readonly DoctorFinding[]): Promise<ExitStatus> {
  const { output, flags } = context;
  const problems = findings.filter(({ severity }) => severity === 'problem').length;
  if (flags.json) await output.document({ problems, findings });
  else await printFindings(output, findings);
  return problems > 0 ? EXIT.failed : EXIT.done;
}
