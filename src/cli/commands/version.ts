/** `holdfast version`: what this program is. */
import { EXIT } from '../../base/failure.ts';
import { defineCommand } from '../command.ts';

export default defineCommand({
  examples: [['holdfast version --json', 'the same for a program']],
  lists: true,
  remote: 'here',
  async run({ build, flags, output }) {
    if (flags.json) await output.document(build);
    else await output.line(`holdfast ${build.version} (Node ${build.node}, ${build.platform})`);
    return EXIT.done;
  },
});
