/** `/metrics`: figures as Prometheus reads them. */
import { Gauge, Registry } from 'prom-client';
import { getMetrics } from '../../api/metrics.ts';
import type { Api } from '../api.ts';
import { collect } from './collect.ts';
import { METRICS, type Sample } from './names.ts';

/** Whoever asks more often gets the same figures again, ms. */
const FRESH_MS = 5_000;

export function registerMetrics(api: Api): void {
  const { catalog, clock, config, build } = api.deps;
  let known: { readonly at: number; readonly text: Promise<string> } | undefined;

  api.route(getMetrics, async () => {
    if (known === undefined || clock.monotonic() - known.at >= FRESH_MS) {
      const figures = collect({ catalog, clock, build, apps: config().appNames });
      known = { at: clock.monotonic(), text: figures.then(metricsText) };
      known.text.catch(() => {
        known = undefined;
      });
    }
    const headers = { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE, 'cache-control': 'no-store' };
    return new Response(await known.text, { headers });
  });
}

/** Every metric is described, also one that has no value now. */
export async function metricsText(samples: readonly Sample[]): Promise<string> {
  const registry = new Registry();
  const gauges = new Map(
    Object.entries(METRICS).map(([name, { help, labels }]) => [
      name,
      new Gauge({ name, help, labelNames: [...labels], registers: [registry] }),
    ]),
  );
  for (const { name, labels, value } of samples) gauges.get(name)!.set({ ...labels }, value);
  return await registry.metrics();
}
