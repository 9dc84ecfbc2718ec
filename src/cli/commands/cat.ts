/** `holdfast cat POINT PATH`: the bytes of one file. */
import { readFile } from '../../api/points.ts';
import { EXIT } from '../../base/failure.ts';
import { cat } from '../../operations/cat.ts';
import { argument, defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details: 'Every part is verified before it is printed. What one storage cannot give comes from another.',
  arguments: {
    point: argument.required('POINT', 'id, its first digits, or "latest"'),
    path: argument.required('PATH', 'a file, beginning with the name of its source'),
  },
  examples: [
    ['holdfast cat latest media/report.pdf > report.pdf', 'one file'],
    ['holdfast cat 1f0c manifest.json', 'what the backup knew about itself'],
  ],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  async run(context, { arguments: { point, path } }) {
    const { output } = context;
    const app = (await context.config()).appName(context.flags.app);
    await using session = await openSession(context);
    await cat(session, { app, point, path }, async (bytes) => {
      await output.raw(bytes);
      return !output.readerGone;
    });
    return EXIT.done;
  },
  async remote({ output, server }, { arguments: { point, path } }) {
    for await (const bytes of server.client.bytes(readFile, { params: { point }, query: { ...server.app, path } })) {
      await output.raw(bytes);
      if (output.readerGone) break;
    }
    return EXIT.done;
  },
});
