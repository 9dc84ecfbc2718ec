/** The JSON Schema (draft 2020-12) of the configuration file, made from the schema that checks it. */
import * as z from 'zod';
import { file } from './schema/file.ts';

export function configurationJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(file, { io: 'input', target: 'draft-2020-12' });
  return {
    ...schema,
    title: 'Holdfast configuration',
    description: 'What is protected, where backups live, what is kept. Top-level keys that begin with x- are your own.',
    patternProperties: { '^x-': {} },
  };
}
