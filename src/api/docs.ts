/** The description of the API itself. */
import { endpoint } from './endpoint.ts';
import { object } from './shapes.ts';

const open = { method: 'GET', tag: 'Description', access: 'public' } as const;

export const getDescription = endpoint({
  ...open,
  ...{ path: '/api/v1/openapi.json', id: 'getDescription' },
  summary: 'This description, in OpenAPI 3.1',
  answer: { status: 200, description: 'The description.', body: object },
});

export const getDocs = endpoint({
  ...open,
  ...{ path: '/api/v1/docs', id: 'getDocs' },
  summary: 'This description as a page',
  answer: { status: 200, description: 'The page.', types: ['text/html'] },
});

export const getDocsStyle = endpoint({
  ...open,
  ...{ path: '/api/v1/docs.css', id: 'getDocsStyle' },
  summary: 'The style of that page',
  answer: { status: 200, description: 'The style.', types: ['text/css'] },
});
