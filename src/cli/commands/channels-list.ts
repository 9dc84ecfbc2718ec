/** `holdfast channels list`: how people are told. */
import { listChannels } from '../../api/alerts.ts';
import { printList } from '../listing.ts';
import { serviceCommand } from '../service-command.ts';

interface Channel {
  readonly name: string;
  readonly type: string;
}

export default serviceCommand({
  details: 'Those of the configuration, alerts.channels; nothing secret.',
  examples: [['holdfast channels', 'by name']],
  lists: true,
  async ask(context) {
    const columns = [
      { title: 'NAME', value: ({ name }: Channel) => name },
      { title: 'TYPE', value: ({ type }: Channel) => type },
    ];
    await printList(context, await context.server.client.call(listChannels), columns, 'No channels: nobody is told.');
  },
});
