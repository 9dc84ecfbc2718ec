/** `holdfast health latest`: what the last look found. */
import { getLatestHealth } from '../../api/backup.ts';
import { moment } from '../output/facts.ts';
import { printFindings } from '../output/findings-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Looks at nothing itself.',
  examples: [['holdfast health latest', 'what "holdfast health check" found last']],
  lists: true,
  async ask({ output, flags, server }) {
    const answer = await server.client.call(getLatestHealth);
    if (flags.json) return output.document(answer);
    if (answer.latest === null) return output.line('Nobody looked yet: "holdfast health check".');
    await printFindings(output, answer.latest.findings);
    await output.line(`Looked at ${moment(answer.latest.checked_at)}.`);
  },
});
