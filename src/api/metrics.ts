/** Figures for Prometheus. */
import { endpoint } from './endpoint.ts';

export const getMetrics = endpoint({
  ...{ method: 'GET', path: '/metrics', id: 'getMetrics', tag: 'Service', access: 'viewer' },
  summary: 'Figures in the text format of Prometheus',
  description: 'For a token of a viewer of all apps.',
  answer: { status: 200, description: 'The figures.', types: ['text/plain'] },
});
