/** `holdfast runs kinds`: what can be run, and its parameters. */
import { listRunKinds } from '../../api/runs.ts';
import { printList } from '../listing.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'The parameters are the options of the command; an asterisk marks those that must be there. --json has their JSON Schema.',
  examples: [['holdfast runs kinds', 'for "runs start" and schedules']],
  lists: true,
  async ask(context) {
    const answer = await context.server.client.call(listRunKinds);
    const columns = [
      { title: 'KIND', value: ({ kind }: Kind) => kind },
      { title: 'PARAMETERS', value: ({ params }: Kind) => namesIn(params as Schema).join(' '), shrinks: true },
    ];
    await printList(context, answer, columns, 'No kinds.');
  },
});

interface Kind {
  readonly kind: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function namesIn({ properties = {}, required = [] }: Schema): string[] {
  return Object.keys(properties).map((name) => (required.includes(name) ? `${name}*` : name));
}
