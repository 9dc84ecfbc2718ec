/**
 * Requests made from a description in OpenAPI: for each operation one as it is described, with all members and with the needed ones only,
 * and then each parameter and each member of the body, at any depth, replaced by what does not belong there. Nothing is left to chance.
 */
import type { OpenApi, Operation, Parameter } from '../../src/server/openapi.ts';

export interface Attack {
  readonly operation: Operation;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly json?: unknown;
}

type Schema = Readonly<Record<string, unknown>>;

const TEXTS = ['', '-1', '../../etc/passwd', 'a'.repeat(5_000), '\u0000', '\ud800', '\u202e💣', '9'.repeat(400)];
const VALUES = [null, true, -1, 0.5, 1e308, 2 ** 53, [], {}, [[null]], ...TEXTS];
const MAX_DEPTH = 4;

/** `bodies`: members that a good body needs so that more than its form holds, by operation. */
export function* attacks(description: OpenApi, bodies: Readonly<Record<string, object>>): Generator<Attack> {
  const { schemas } = description.components;
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(methods))
      yield* new Attacker(
        schemas,
        { operation, method: method.toUpperCase() },
        { path, members: bodies[operation.operationId] ?? {} },
      ).all();
}

class Attacker {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #base: Pick<Attack, 'operation' | 'method'>;
  readonly #path: string;
  readonly #members: object;

  constructor(
    schemas: Readonly<Record<string, Schema>>,
    base: Pick<Attack, 'operation' | 'method'>,
    { path, members }: { readonly path: string; readonly members: object },
  ) {
    this.#schemas = schemas;
    this.#base = base;
    this.#path = path;
    this.#members = members;
  }

  *all(): Generator<Attack> {
    const { parameters } = this.#base.operation;
    const schema = this.#bodySchema();
    const good = schema === undefined ? [undefined] : [this.#body(schema, false), this.#body(schema, true)];
    for (const json of good) yield this.#attack(new Map(), json);
    for (const { name, in: place } of parameters)
      if (place !== 'header')
        for (const text of TEXTS) {
          if (place === 'path' && text === '') continue; // another path
          yield this.#attack(new Map([[name, text]]), good[0]);
        }
    yield this.#attack(new Map([['unknown', 'x']]), good[0]);
    if (schema !== undefined) for (const json of this.#wrong(schema, 0)) yield this.#attack(new Map(), json);
  }

  #attack(given: ReadonlyMap<string, string>, json: unknown): Attack {
    const { parameters } = this.#base.operation;
    const textOf = ({ name, schema }: Parameter) => given.get(name) ?? String(this.#good(schema, false));
    let path = this.#path;
    const query: string[] = [];
    for (const parameter of parameters) {
      const value = encodeURIComponent(textOf(parameter).toWellFormed());
      if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, value);
      if (parameter.in === 'query' && (parameter.required || given.has(parameter.name)))
        query.push(`${parameter.name}=${value}`);
    }
    if (given.has('unknown')) query.push('unknown=x');
    return { ...this.#base, path: `${path}?${query.join('&')}`, ...(json === undefined ? {} : { json }) };
  }

  #body(schema: Schema, whole: boolean): object {
    return { ...(this.#good(schema, whole) as object), ...this.#members };
  }

  #bodySchema(): Schema | undefined {
    const { content } = (this.#base.operation.requestBody ?? {}) as { content?: Record<string, { schema: Schema }> };
    return content?.['application/json']?.schema;
  }

  #resolved(schema: Schema): Schema {
    const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1)! : undefined;
    const found = name === undefined ? schema : this.#schemas[name]!;
    const choices = (found.anyOf ?? found.oneOf) as readonly Schema[] | undefined;
    return choices === undefined ? found : this.#resolved(choices[0]!);
  }

  /** What the schema takes, as far as a value of its kind goes; `whole`: with all that may be left out. */
  #good(of: Schema, whole: boolean, depth = 0): unknown {
    const schema = this.#resolved(of);
    if (schema.const !== undefined) return schema.const;
    if (Array.isArray(schema.enum)) return schema.enum[0];
    if (schema.default !== undefined && !whole) return schema.default;
    switch (schema.type) {
      case 'string':
        return goodText(schema);
      case 'integer':
      case 'number':
        return Math.max(1, Number(schema.minimum ?? 1));
      case 'boolean':
        return true;
      case 'array':
        return depth < MAX_DEPTH && schema.items ? [this.#good(schema.items as Schema, whole, depth + 1)] : [];
      case 'object':
        return Object.fromEntries(
          propertiesOf(schema)
            .filter(([name]) => whole || isRequired(schema, name))
            .map(([name, property]) => [name, depth < MAX_DEPTH ? this.#good(property, whole, depth + 1) : null]),
        );
      default:
        return 'x';
    }
  }

  /** Values that differ from a good one in one place. */
  *#wrong(of: Schema, depth: number): Generator<unknown> {
    yield* VALUES;
    const schema = this.#resolved(of);
    if (depth >= MAX_DEPTH) return;
    if (schema.type === 'array' && schema.items)
      for (const item of this.#wrong(schema.items as Schema, depth + 1)) yield [item];
    if (schema.type !== 'object') return;
    const good = (depth === 0 ? this.#body(schema, false) : this.#good(schema, true)) as Record<string, unknown>;
    yield { ...good, unknown: 1 };
    for (const [name, property] of propertiesOf(schema)) {
      const { [name]: _left, ...rest } = good;
      yield rest;
      for (const value of this.#wrong(property, depth + 1)) yield { ...good, [name]: value };
    }
  }
}

function propertiesOf(schema: Schema): [string, Schema][] {
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>);
}

function isRequired(schema: Schema, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name);
}

function goodText({ format, pattern, minLength = 1 }: Schema): string {
  if (format === 'date-time') return '2026-11-21T03:00:00Z';
  const length = Math.max(1, Number(minLength));
  const hex = '0'.repeat(Math.max(length, /26/.test(String(pattern)) ? 26 : 1));
  return pattern === undefined ? 'clinic'.padEnd(length, 'x') : /26|0-9a-f/.test(String(pattern)) ? hex : 'clinic';
}
