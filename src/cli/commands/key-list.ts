/** `holdfast key list`: the key files, one for each password. */
import { EXIT } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { listKeys } from '../../operations/keys.ts';
import { defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'The one marked with * opened the repository for this command. Host, user and time are those of whoever added it.',
  examples: [['holdfast key list', 'who can open the repository']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context) {
    const { output, flags } = context;
    await using session = await openSession(context);
    const keys = await listKeys(session);
    if (flags.json) {
      await output.document(
        keys.map(({ id, inUse, ...rest }) => ({ id, short_id: shortId(id), in_use: inUse, ...rest })),
      );
    } else {
      await output.table(keys, [
        { title: 'KEY', value: ({ id, inUse }) => `${inUse ? '*' : ' '}${shortId(id)}` },
        { title: 'CREATED', value: ({ created }) => created ?? 'unreadable' },
        { title: 'USER', value: ({ username }) => username },
        { title: 'HOST', value: ({ hostname }) => hostname },
        { title: 'STORAGES', value: ({ storages }) => storages.join(' ') },
      ]);
    }
    return EXIT.done;
  },
});
