/** `holdfast archive POINT [PATH]`: a directory of a point, or all of it, as one archive. */
import { resolve } from 'node:path';
import { readArchive } from '../../api/points.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { formatBytes } from '../../base/sizes.ts';
import { writeNewFile } from '../../operations/new-file.ts';
import { argument, option } from '../command.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'tar keeps owners, modes, links and names of any bytes; zip is for desktops. Every part is verified while it is read. For getting data back ' +
    'on a server, "restore" does more: it keeps extended attributes and goes on where it was interrupted. It is not encrypted.',
  arguments: {
    point: argument.required('POINT', 'id, its first digits, or "latest"'),
    path: argument.optional('PATH', 'SOURCE/DIR; everything when left out'),
  },
  options: {
    format: option.choice('FORMAT', ['tar', 'zip'], 'how it is written (default: tar)'),
    output: option.text('FILE', 'a new file, readable by its owner only; printed when left out'),
  },
  examples: [['holdfast archive latest media/photos --format zip --output photos.zip', 'for somebody at a desk']],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  left: 'No file was left; ask for it again.',
  async ask(context, { arguments: { point, path = '' }, options: { format = 'tar', output: file } }) {
    const { output, flags, server, cwd } = context;
    if (file === undefined && flags.json)
      throw new Failure('usage', 'Without --output the archive itself is printed; --json does not go with it.');
    const query = { ...server.app, path, format };
    const parts = server.client.bytes(readArchive, { params: { point }, query });
    if (file === undefined) {
      for await (const part of parts) await output.raw(part);
      return;
    }
    const place = resolve(cwd, file);
    const bytes = await writeNewFile(place, parts);
    if (flags.json) await output.summary({ file: place, format, bytes });
    else await output.line(`The archive is in ${place}: ${formatBytes(bytes)}.`);
  },
});
