/** The HTTP application: every request gets an id, a principal and safe headers; what fails becomes a problem document. */
import { Hono } from 'hono';
import type { Endpoint } from '../api/endpoint.ts';
import { asFailure, Failure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import { Api, askedOf, type Variables } from './api.ts';
import { DEFAULT_LIMITS, type ServerDeps } from './deps.ts';
import { problemOf, problemResponse } from './problem.ts';
import { registerRoutes } from './routes.ts';
import { makeSafe } from './security-headers.ts';

/** Disposing of it closes the storages that it had opened and writes what the audit log still lacks; abort the signal of its deps first. */
export interface ServerApp extends AsyncDisposable {
  readonly hono: Hono<{ Variables: Variables }>;
  readonly api: Api;
  /** Answers one request; for tests, and for what listens. */
  fetch(request: Request, bindings?: object): Promise<Response>;
}

export function createApp(deps: ServerDeps): ServerApp {
  const hono = new Hono<{ Variables: Variables }>({ strict: false });
  const api = new Api(hono, deps, { ...DEFAULT_LIMITS, ...deps.limits });
  hono.use(async (context, next) => {
    context.set('requestId', newId(deps.clock.now()));
    await next();
    makeSafe(context.res, askedOf(context));
  });
  hono.use(async (context, next) => {
    context.set('principal', await deps.access.authenticate(context));
    await next();
  });
  const opened = registerRoutes(api);
  deps.access.register?.(api);
  hono.notFound((context) => {
    const allowed = methodsAt(api, context.req.path);
    const failure = allowed.length === 0 ? unknownRoute(context.req.path) : refusedMethod(context.req.method);
    const headers = allowed.length === 0 ? {} : { allow: allowed.join(', ') };
    return problemResponse(problemOf(failure, context.get('requestId')), headers);
  });
  hono.onError(async (error, context) => {
    const request = context.get('requestId');
    const { method, path } = context.req;
    const problem = problemOf(error, request);
    if (problem.status >= 500) log(deps, error, { request, method, path });
    const { status } = problem;
    const [endpoint, principal, app] = [endpointAt(api, method, path), context.get('principal'), context.get('app')];
    await deps.access
      .failed?.({ failure: asFailure(error), status, endpoint, principal, path, app }, context)
      .catch((problem: unknown) => log(deps, problem, { request, method, path }));
    const challenge = problem.status === 401 ? { 'www-authenticate': 'Bearer realm="holdfast"' } : undefined;
    return problemResponse(problem, challenge);
  });
  return {
    ...{ hono, api },
    fetch: async (request, bindings) => hono.fetch(request, bindings),
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await deps.access.close?.();
    },
  };
}

function log({ log: to }: ServerDeps, error: unknown, where: Readonly<Record<string, unknown>>): void {
  const { code, message, stack } = asFailure(error);
  to.error('A request failed.', { ...where, code, problem: message, ...(code === 'internal' ? { stack } : {}) });
}

/** The methods that some endpoint takes at this path. */
function methodsAt({ endpoints }: Api, path: string): string[] {
  const methods = endpoints.flatMap((endpoint) => (fits(endpoint, path) ? [endpoint.method] : []));
  return [...new Set<string>(methods.includes('GET') ? [...methods, 'HEAD'] : methods)];
}

function endpointAt({ endpoints }: Api, method: string, path: string): Endpoint | undefined {
  const meant = method === 'HEAD' ? 'GET' : method;
  return endpoints.find((endpoint) => endpoint.method === meant && fits(endpoint, path));
}

function fits({ path: pattern }: Endpoint, path: string): boolean {
  const parts = path.replace(/\/+$/, '').split('/');
  const wanted = pattern.replace(/\/+$/, '').split('/');
  return wanted.length === parts.length && wanted.every((part, at) => part.startsWith('{') || part === parts[at]);
}

function unknownRoute(path: string): Failure {
  return new Failure('route_unknown', `There is nothing at ${path.slice(0, 200)}.`, {
    hint: 'See /api/v1/docs for what there is.',
  });
}

function refusedMethod(method: string): Failure {
  return new Failure('method_refused', `This path does not take ${method}.`);
}
