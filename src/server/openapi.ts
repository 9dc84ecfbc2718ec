/** The description of the API in OpenAPI 3.1, made from the declarations of its routes. */
import * as z from 'zod';
import type { Endpoint } from '../api/endpoint.ts';
import { isIdempotent } from './idempotency.ts';
import { PROBLEM_TYPE } from './problem.ts';

type Json = Record<string, unknown>;

export interface OpenApi extends Json {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly securitySchemes: Json };
}

export interface Operation extends Json {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, Json>>;
  readonly requestBody?: Json;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}

const ABOUT =
  'Every answer that is no success is a problem document (RFC 9457) with a stable `code`. Lists come in pages: `next` of one is the `cursor` ' +
  'of the following. What takes long is a run: the request answers 202 and names it in `Location`. Answers to GET have an `ETag`. POST takes ' +
  'an `Idempotency-Key`: repeated with the same key within a day, a request is answered as it was the first time, and nothing is done twice.';

const PROBLEM: Json = {
  type: 'object',
  description: 'What went wrong, and what can be done about it.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened, for people.' },
    code: { type: 'string', description: 'One of the codes of the page on errors; programs decide by it.' },
    hint: { type: 'string', description: 'What can be done about it.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['in', 'path', 'message'],
        properties: {
          in: { type: 'string', enum: ['path', 'query', 'header', 'body'] },
          path: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
    request: { type: 'string', description: 'Id of the request, as in the log of the server.' },
  },
};

export function describeApi(endpoints: readonly Endpoint[], version: string): OpenApi {
  const schemas: Record<string, Json> = { Problem: PROBLEM };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] ??= {};
    paths[endpoint.path]![endpoint.method.toLowerCase()] = operation(endpoint, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version,
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    } as OpenApi['info'],
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name, description: `${name}.` })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token.' },
        session: { type: 'apiKey', in: 'cookie', name: 'session', description: 'The session of a person.' },
      },
    },
  };
}

function operation(endpoint: Endpoint, schemas: Record<string, Json>): Operation {
  const { id, tag, summary, description, access } = endpoint;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, accessText(access)].filter((part) => part !== undefined).join('\n\n'),
    security: access === 'public' ? [] : access === 'account' ? [{ session: [] }] : [{ token: [] }, { session: [] }],
    'x-access': access,
    parameters: [
      ...parameters('path', endpoint.params, schemas),
      ...parameters('query', endpoint.query, schemas),
      ...(isIdempotent(endpoint) ? [IDEMPOTENCY_KEY] : []),
    ],
    ...requestBody(endpoint, schemas),
    responses: responses(endpoint, schemas),
  };
}

function requestBody({ body, upload }: Endpoint, schemas: Record<string, Json>): { requestBody?: Json } {
  if (upload !== undefined) {
    const content = upload.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]);
    return { requestBody: { required: true, content: Object.fromEntries(content) } };
  }
  if (body === undefined) return {};
  const content = { 'application/json': { schema: schemaOf(body, schemas) } };
  return { requestBody: { required: !body.safeParse({}).success, content } };
}

const IDEMPOTENCY_KEY: Parameter = {
  ...{ name: 'Idempotency-Key', in: 'header', required: false },
  description: 'Repeated with the same key, the request is answered as it was the first time.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

function accessText(access: Endpoint['access']): string {
  if (access === 'public') return 'Needs nobody to be logged in.';
  if (access === 'account') return 'For a person who is logged in.';
  return `Needs the role ${access}.`;
}

function parameters(place: 'path' | 'query', of: Endpoint['query'], schemas: Record<string, Json>): Parameter[] {
  return Object.entries(of.shape).map(([name, field]) => {
    const { description, ...schema } = schemaOf(field as z.ZodType, schemas);
    const required = place === 'path' || !(field as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, ...(typeof description === 'string' ? { description } : {}), schema };
  });
}

function responses({ answer, method, access }: Endpoint, schemas: Record<string, Json>): Record<string, Json> {
  const { status, description, body, types, headers = {} } = answer;
  const content =
    body === undefined
      ? Object.fromEntries((types ?? []).map((type) => [type, { schema: { type: 'string' } }]))
      : { 'application/json': { schema: schemaOf(body, schemas) } };
  const named = Object.entries(headers).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  const problem = (text: string) => ({
    description: text,
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  return {
    [status]: {
      description,
      ...(named.length === 0 ? {} : { headers: Object.fromEntries(named) }),
      ...(Object.keys(content).length === 0 ? {} : { content }),
    },
    ...(method === 'GET' && body !== undefined ? { 304: { description: 'It is what `If-None-Match` names.' } } : {}),
    ...(access === 'public'
      ? {}
      : { 401: problem('Nobody is logged in.'), 403: problem('The role does not suffice.') }),
    '4XX': problem('The request does not fit, or what it asks for is not there.'),
    '5XX': problem('The server, its catalog or a storage could not do it.'),
  };
}

/** The JSON Schema of a schema; parts that have a name move to `schemas`. */
function schemaOf(schema: z.ZodType, schemas: Record<string, Json>): Json {
  const {
    $schema: _draft,
    $defs = {},
    ...json
  } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json & {
    $defs?: Record<string, Json>;
  };
  const moved = (value: Json) =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  for (const [name, part] of Object.entries($defs)) {
    const { id: _id, ...rest } = moved(part);
    schemas[name] = rest;
  }
  const { id, ...rest } = moved(json);
  if (typeof id !== 'string') return rest;
  schemas[id] = rest;
  return { $ref: `#/components/schemas/${id}` };
}
