/** The description of the API as a page: plain HTML, made from OpenAPI, without scripts and without anything from elsewhere. */
import { html } from '../../base/html.ts';
import type { OpenApi, Operation, Parameter } from '../openapi.ts';

type Json = Readonly<Record<string, unknown>>;

export function docsPage(api: OpenApi): string {
  const { title, version, description } = api.info;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const sections = api.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<section><h2 id="${anchor(name)}">${html(name)}</h2>\n${own.map(operationHtml).join('\n')}</section>`;
  });
  const schemas = Object.entries(api.components.schemas).map(([name, schema]) => schemaHtml(name, schema));
  const links = api.tags.map(({ name }) => `<li><a href="#${anchor(name)}">${html(name)}</a></li>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)} API</title>
<link rel="stylesheet" href="/api/v1/docs.css">
</head>
<body>
<main>
<h1>${html(title)} API ${html(version)}</h1>
${paragraphs(description)}
<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a>.</p>
<nav aria-label="Parts"><ul>${links}<li><a href="#schemas">Schemas</a></li></ul></nav>
${sections.join('\n')}
<section><h2 id="schemas">Schemas</h2>
${schemas.join('\n')}
</section>
</main>
</body>
</html>
`;
}

interface Place {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operationHtml({ method, path, operation }: Place): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  return `<details id="${html(operationId)}">
<summary><span class="method">${method}</span> <span><span class="path">${html(path)}</span> <span class="said">${html(summary)}</span></span></summary>
<div>
${paragraphs(description)}
${parameterTable(parameters)}
${requestBody === undefined ? '' : `<h3>Body</h3>\n${contentHtml(requestBody.content)}`}
<h3>Answers</h3>
<table><tr><th scope="col">Status</th><th scope="col">Meaning</th><th scope="col">Body</th></tr>
${Object.entries(responses)
  .map(
    ([status, it]) =>
      `<tr><td>${html(status)}</td><td>${prose(it.description)}</td><td>${contentHtml(it.content)}</td></tr>`,
  )
  .join('\n')}
</table>
</div>
</details>`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema }) =>
      `<tr><td><code>${html(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${html(typeText(schema))}</td><td>${prose(description)}</td></tr>`,
  );
  return `<h3>Parameters</h3>\n<table><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Type</th><th scope="col">Meaning</th></tr>\n${rows.join('\n')}\n</table>`;
}

/** Named schemas as links, others as they are. */
function contentHtml(content: unknown): string {
  if (content === undefined) return '';
  return Object.entries(content as Record<string, { readonly schema: Json }>)
    .map(([type, { schema }]) => (type === 'application/json' ? bodyHtml(schema) : html(type)))
    .join(', ');
}

function bodyHtml(schema: Json): string {
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1)! : undefined;
  if (name !== undefined) return `<a href="#schema-${anchor(name)}">${html(name)}</a>`;
  return `<details><summary>${html(typeText(schema))}</summary><pre>${html(JSON.stringify(schema, null, 2))}</pre></details>`;
}

function schemaHtml(name: string, schema: Json): string {
  const text = html(JSON.stringify(schema, null, 2));
  return `<details id="schema-${anchor(name)}"><summary><code>${html(name)}</code></summary><div><pre>${text}</pre></div></details>`;
}

function typeText({ type, $ref, enum: values, anyOf, format, items }: Json): string {
  if (typeof $ref === 'string') return $ref.split('/').at(-1)!;
  if (Array.isArray(values)) return values.map(String).join(' | ');
  if (Array.isArray(anyOf)) return anyOf.map((each) => typeText(each as Json)).join(' | ');
  if (type === 'array') return `list of ${typeText((items ?? {}) as Json)}`;
  return format === undefined ? String(type ?? 'anything') : `${String(type)}, ${String(format)}`;
}

function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .map((part) => `<p>${prose(part)}</p>`)
    .join('\n');
}

/** What stands between backticks is code. */
function prose(text: unknown): string {
  return html(text).replace(/&#96;(.*?)&#96;/g, '<code>$1</code>');
}

function anchor(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
