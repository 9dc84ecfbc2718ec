/** Parameters of a run as they are written on a command line, `NAME=VALUE`, and as its kind takes them. */
import { listRunKinds } from '../api/runs.ts';
import { Failure } from '../base/failure.ts';
import type { Client } from '../client/client.ts';
import { option } from './command.ts';

export const paramOptions = {
  param: option.texts('NAME=VALUE', 'a parameter of the kind, once for each value: "holdfast runs kinds" lists them'),
};

interface Property {
  readonly type?: string;
  readonly items?: Property;
}

/** Throws `usage` for what is no `NAME=VALUE`; what the kind does not take is refused by whoever is asked for the run. */
export async function paramsOf(
  client: Client,
  kind: string,
  written: readonly string[],
): Promise<Record<string, unknown>> {
  if (written.length === 0) return {};
  const { items } = await client.call(listRunKinds);
  const schema = items.find((each) => each.kind === kind)?.params as
    | { properties?: Record<string, Property> }
    | undefined;
  const params: Record<string, unknown> = {};
  for (const text of written) {
    const [name, value] = split(text);
    const { type, items: parts } = schema?.properties?.[name] ?? {};
    if (type === 'array') params[name] = [...((params[name] as unknown[]) ?? []), typed(value, parts?.type)];
    else params[name] = typed(value, type);
  }
  return params;
}

/** The name as the API writes it, also where it was written as the option of the command. */
function split(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Failure('usage', `--param: "${text}" is no NAME=VALUE.`);
  return [text.slice(0, at).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), text.slice(at + 1)];
}

/** What is no number and no flag stays text, for the kind to refuse. */
function typed(text: string, type: string | undefined): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d{1,15}(\.\d{1,9})?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
