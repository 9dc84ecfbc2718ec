/** `holdfast health check`: is anything wrong with the service and what it needs, looked at now. */
import { runHealthCheck } from '../../api/backup.ts';
import { EXIT } from '../../base/failure.ts';
import { moment } from '../output/facts.ts';
import { printFindings } from '../output/findings-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'Configuration, storages, repository, databases, this machine, and the service itself. What is found is kept for "holdfast health latest". ' +
    'Ends with 1 when there is a problem. "holdfast doctor" looks at the set-up without a service.',
  examples: [['holdfast health check', 'now']],
  async ask({ output, flags, server }) {
    const found = await server.client.call(runHealthCheck, { query: server.app });
    if (flags.json) await output.summary(found);
    else {
      await printFindings(output, found.findings);
      await output.note(`Looked at ${moment(found.checked_at)}.`);
    }
    return found.problems > 0 ? EXIT.failed : EXIT.done;
  },
});
