/** `holdfast config schema`: the JSON Schema of the configuration file, for editors. */
import { EXIT } from '../../base/failure.ts';
import { configurationJsonSchema } from '../../config/json-schema.ts';
import { defineCommand } from '../command.ts';

export default defineCommand({
  details:
    'An editor that knows the schema completes keys and marks mistakes. It cannot know everything that "config validate" checks.',
  examples: [
    [
      'holdfast config schema > holdfast.schema.json',
      'then begin the file with: # yaml-language-server: $schema=holdfast.schema.json',
    ],
  ],
  lists: true,
  remote: 'here',
  async run({ output }) {
    await output.document(configurationJsonSchema());
    return EXIT.done;
  },
});
