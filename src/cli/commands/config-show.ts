/** `holdfast config show`: effective values as YAML, each with its origin as a comment. */
import { parse } from 'yaml';
import type { AnswerOf } from '../../api/endpoint.ts';
import { getConfig } from '../../api/system.ts';
import { EXIT } from '../../base/failure.ts';
import { type EffectiveValue, effectiveValues } from '../../config/effective.ts';
import { defineCommand } from '../command.ts';
import type { Output } from '../output/output.ts';
import { displayWidth } from '../output/table.ts';

export default defineCommand({
  details: 'Defaults are filled in. Secrets are masked and not fetched, so it works where they are not at hand.',
  lists: true,
  async run(context) {
    const { output, flags } = context;
    const { checked, file } = await context.config();
    const values = effectiveValues(checked);
    if (flags.json)
      await output.document({ file, values: values.map(({ path, value, origin }) => ({ path, value, origin })) });
    else await print(output, file, values);
    return EXIT.done;
  },
  async remote({ output, flags, server }) {
    const document = await server.document<AnswerOf<typeof getConfig>>(getConfig);
    if (flags.json) await output.document(document);
    else
      await print(
        output,
        document.file,
        document.values.map((each) => ({ ...each, keys: keysOf(each.path) })),
      );
    return EXIT.done;
  },
});

/** `apps.clinic.schedules[0].cron` again as its parts. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) => (index === undefined ? text : Number(index)));
}

async function print(output: Output, file: string, values: readonly EffectiveValue[]): Promise<void> {
  const lines = [...yamlLines(values)];
  const column = Math.min(52, Math.max(...lines.map(([text]) => displayWidth(text))));
  await output.line(output.style.dim(`# ${file}`));
  for (const [text, origin] of lines) {
    const comment =
      origin === ''
        ? ''
        : `  ${' '.repeat(Math.max(0, column - displayWidth(text)))}${output.style.dim(`# ${origin}`)}`;
    await output.line(text + comment);
  }
}

/** One line per value and per mapping or list that begins, with the origin of the value. */
function* yamlLines(values: readonly EffectiveValue[]): Generator<[text: string, origin: string]> {
  let open: EffectiveValue['keys'] = [];
  for (const { keys, value, origin } of values) {
    let depth = 0;
    while (depth < open.length && depth < keys.length - 1 && open[depth] === keys[depth]) depth += 1;
    let text = indent(depth);
    for (; depth < keys.length - 1; depth++) {
      const key = keys[depth]!;
      text += head(key);
      if (typeof key === 'number') continue; // what an item begins with stands on its line
      yield [text, ''];
      text = indent(depth + 1);
    }
    yield [`${text}${head(keys.at(-1)!).trimEnd()} ${yamlScalar(value)}`, origin];
    open = keys;
  }
}

const indent = (depth: number) => '  '.repeat(depth);
const head = (key: string | number) => (typeof key === 'number' ? '- ' : `${key}:`);

/** Plain where YAML would read the same text back, JSON (which is YAML) elsewhere. */
function yamlScalar(value: unknown): string {
  const plain =
    typeof value === 'string' && /^[A-Za-z0-9./_][A-Za-z0-9 ./_@+-]*$/.test(value) && value.trim() === value;
  return plain && parse(value as string) === value ? (value as string) : JSON.stringify(value);
}
