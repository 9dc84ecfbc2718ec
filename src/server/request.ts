/** Reading a request by its description: everything that does not fit is told at once, and nothing is read beyond the limit. */
import * as z from 'zod';
import type { Endpoint } from '../api/endpoint.ts';
import { Failure } from '../base/failure.ts';
import { bodyParts } from './body.ts';
import type { Limits } from './deps.ts';
import type { RequestProblem } from './problem.ts';

export interface Parsed {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** How the texts of a query become values, found once for each endpoint. */
export class RequestReader {
  readonly #endpoint: Endpoint;
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #limits: Pick<Limits, 'body' | 'idle'>;

  constructor(endpoint: Endpoint, limits: Pick<Limits, 'body' | 'idle'>) {
    this.#endpoint = endpoint;
    this.#kinds = new Map(Object.entries(endpoint.query.shape).map(([name, field]) => [name, kindOf(field)]));
    this.#limits = limits;
  }

  /** Path and query. Throws `request_invalid`. */
  place(params: Readonly<Record<string, string>>, search: URLSearchParams): Pick<Parsed, 'params' | 'query'> {
    const problems: RequestProblem[] = [];
    for (const [name, text] of Object.entries(params)) refuseZero('path', name, text, problems);
    for (const [name, text] of search) refuseZero('query', name, text, problems);
    const checked = {
      params: check('path', this.#endpoint.params, params, problems),
      query: check('query', this.#endpoint.query, this.#queryValues(search, problems), problems),
    };
    refuse(problems);
    return checked as Pick<Parsed, 'params' | 'query'>;
  }

  /**
   * The body; undefined where none is taken, or where the handler reads it. Throws `request_invalid`, `request_too_large`,
   * `media_type_refused`, `request_timeout`.
   */
  async body(request: Request): Promise<unknown> {
    const { body: schema, upload } = this.#endpoint;
    const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (upload !== undefined) {
      if (type !== undefined && upload.includes(type)) return undefined;
      throw new Failure('media_type_refused', `The body must be ${upload.join(' or ')}.`);
    }
    const bytes = await readBounded(request, this.#limits);
    if (schema === undefined) {
      if (bytes.length > 0 && bytes.toString() !== '{}')
        throw invalid([{ in: 'body', path: '', message: 'takes no body' }]);
      return undefined;
    }
    if (bytes.length > 0 && type !== 'application/json')
      throw new Failure('media_type_refused', 'The body must be application/json.');
    const problems: RequestProblem[] = [];
    const value = check('body', schema, bytes.length === 0 ? {} : parseJson(bytes), problems);
    refuse(problems);
    return value;
  }

  #queryValues(search: URLSearchParams, problems: RequestProblem[]): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const name of new Set(search.keys())) {
      const texts = search.getAll(name);
      const kind = this.#kinds.get(name);
      if (kind === 'list') values[name] = texts;
      else if (texts.length > 1) problems.push({ in: 'query', path: name, message: 'is given more than once' });
      else values[name] = readValue(texts[0]!, kind);
    }
    return values;
  }
}

type Kind = 'text' | 'number' | 'flag' | 'list';

function kindOf(field: z.core.$ZodType): Kind {
  const { type } = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' });
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'boolean' ? 'flag' : type === 'array' ? 'list' : 'text';
}

/** What is no number or flag stays text, for the schema to refuse. */
function readValue(text: string, kind: Kind | undefined): unknown {
  if (kind === 'number' && /^-?\d{1,15}(\.\d{1,9})?$/.test(text)) return Number(text);
  if (kind === 'flag' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function check(place: RequestProblem['in'], schema: z.ZodType, value: unknown, problems: RequestProblem[]): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues)
    problems.push({ in: place, path: path.map(String).join('.'), message });
  return undefined;
}

/** No text that is stored or compared here may hold the character zero: PostgreSQL has no place for it. */
function refuseZero(place: 'path' | 'query', name: string, text: string, problems: RequestProblem[]): void {
  if (text.includes('\0') || name.includes('\0'))
    problems.push({ in: place, path: name.replaceAll('\0', ''), message: 'must not hold the character zero' });
}

function refuse(problems: readonly RequestProblem[]): void {
  if (problems.length > 0) throw invalid(problems);
}

export function invalid(errors: readonly RequestProblem[]): Failure {
  const first = errors[0]!;
  const where = [first.in, first.path].filter((part) => part !== '').join(' ');
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  return new Failure('request_invalid', `The request does not fit: ${where}: ${first.message}${more}.`, {
    details: { errors },
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, value: unknown) => {
      if (typeof value === 'string' && value.includes('\0')) throw new RangeError('zero');
      return value;
    });
  } catch (error) {
    if (error instanceof RangeError)
      throw invalid([{ in: 'body', path: '', message: 'must not hold the character zero' }]);
    throw invalid([{ in: 'body', path: '', message: 'is not JSON' }]);
  }
}

const NOTHING = Buffer.alloc(0);

async function readBounded(request: Request, { body: limit, idle }: Pick<Limits, 'body' | 'idle'>): Promise<Buffer> {
  if (request.method === 'GET' || request.method === 'HEAD') return NOTHING; // has none, and looking for it is dear
  const tooLarge = () => new Failure('request_too_large', `The body may have ${limit} bytes at most.`);
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bodyParts(request, idle)) {
    length += part.length;
    if (length > limit) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
