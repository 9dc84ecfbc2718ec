/** `holdfast config validate`: every problem of the file at once; without one, what should be known about it. */
import { EXIT } from '../../base/failure.ts';
import { defineCommand } from '../command.ts';
import { problemText } from '../report.ts';

export default defineCommand({
  details:
    'Reads the file and nothing else: no secret is fetched, no storage or database is contacted ("holdfast doctor" does that).',
  examples: [['holdfast config validate --config prod.yaml', 'check this file before it is rolled out']],
  lists: true,
  async run(context) {
    const { output, flags } = context;
    const { file, remarks, storageNames, appNames } = await context.config();
    if (flags.json) {
      await output.document({ file, valid: true, remarks, storages: storageNames, apps: appNames });
      return EXIT.done;
    }
    await output.line(`${file} is valid.`);
    await output.line(`  storages: ${storageNames.join(', ')}`);
    await output.line(`  apps: ${appNames.join(', ') || 'none'}`);
    if (remarks.length > 0 && !flags.quiet) await output.line('Remarks:');
    for (const remark of flags.quiet ? [] : remarks) await output.line(`  ${output.style.yellow(problemText(remark))}`);
    return EXIT.done;
  },
});
