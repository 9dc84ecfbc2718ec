/** `holdfast runs result RUN FILE`: the file that a run made. */
import { resolve } from 'node:path';
import { getRunResult } from '../../api/exchange.ts';
import { writeNewFile } from '../../operations/new-file.ts';
import { argument } from '../command.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'An export package, or rows, kept for a while by the server (server.exchange.keep). FILE is readable by its owner only.',
  arguments: { run: runArgument, file: argument.required('FILE', 'a new file; "-" prints it') },
  examples: [['holdfast runs result 01m7ymtxamewa1szj5sc9zt8t1 clinic.tar', 'before it is removed']],
  left: 'No file was left; ask for it again.',
  async ask({ output, flags, server, cwd }, { arguments: { run, file } }) {
    const parts = server.client.bytes(getRunResult, { params: { run } });
    if (file === '-') for await (const part of parts) await output.raw(part);
    else {
      const path = resolve(cwd, file);
      await writeNewFile(path, parts);
      if (flags.json) await output.summary({ run, file: path });
      else await output.line(`The result of the run is in ${path}.`);
    }
  },
});
