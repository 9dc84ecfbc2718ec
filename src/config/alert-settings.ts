/** Alerts as the program works with them: durations in ms, hours taken apart. */
import { resolve } from 'node:path';
import { parseDuration } from '../base/durations.ts';
import { given } from '../base/given.ts';
import { type Hours, parseHours } from './hours.ts';
import type { Resolved } from './resolve.ts';
import type { FileValues } from './schema/file.ts';

type Values = Resolved<FileValues>['alerts'];
export type AlertRuleName = keyof Values['rules'];
export type AlertSeverity = NonNullable<Values['rules']['wal_gap']['severity']>;

export interface AlertRoute {
  readonly severity?: readonly AlertSeverity[];
  readonly apps?: readonly string[];
  readonly rules?: readonly string[];
  readonly hours?: Hours;
  readonly timezone: string;
  readonly channels: readonly string[];
  /** After `after` ms without anybody taking care of it, these are told. */
  readonly escalate?: { readonly after: number; readonly to: readonly string[] };
}

/** `T` with what is written as a duration in ms. */
type InMs<T> = { readonly [K in keyof T]: K extends 'after' ? DurationOf<T[K]> : T[K] };
type DurationOf<T> = undefined extends T ? number | undefined : number;
export type AlertRules = {
  readonly [R in AlertRuleName]: R extends 'duration'
    ? Omit<Values['rules']['duration'], 'least'> & { readonly least: number }
    : InMs<Values['rules'][R]>;
};

/** All but the addresses and keys of channels. */
export interface AlertPolicy {
  /** Name → type. */
  readonly channels: Readonly<Record<string, ChannelSettings['type']>>;
  readonly routes: readonly AlertRoute[];
  readonly fallback: readonly string[];
  readonly maxPerMinute: number;
  readonly giveUpAfter: number;
  readonly rules: AlertRules;
  /** Checks that are told of runs. */
  readonly pings: readonly { readonly channel: string; readonly app: string; readonly run: string }[];
  readonly deadMan: boolean;
}

/** One channel, its secrets fetched; `timeout` in ms, `ca` an absolute path. */
export type ChannelSettings = ChannelOf<Values['channels'][string]>;
type ChannelOf<C> = C extends { timeout: string }
  ? { readonly [K in keyof C as K extends 'timeout' ? never : K]: C[K] } & { readonly timeout: number }
  : never;

export interface DeadManSettings {
  readonly url: string;
  readonly every: number;
  readonly allowPrivate: boolean;
}

export function alertPolicy(
  values: Omit<Values, 'channels' | 'deadMan'>,
  { channels, deadMan }: Pick<FileValues['alerts'], 'channels' | 'deadMan'>,
): AlertPolicy {
  const entries = Object.entries(channels);
  return {
    channels: Object.fromEntries(entries.map(([name, { type }]) => [name, type])),
    routes: values.routes.map(routeOf),
    fallback: values.fallback,
    maxPerMinute: values.maxPerMinute,
    giveUpAfter: parseDuration(values.giveUpAfter)!,
    rules: Object.fromEntries(Object.entries(values.rules).map(([rule, it]) => [rule, inMs(it)])) as AlertRules,
    pings: entries.flatMap(([channel, it]) =>
      it.type === 'healthchecks' && typeof it.run === 'string' ? [{ channel, app: it.app, run: it.run }] : [],
    ),
    deadMan: deadMan !== undefined,
  };
}

export function channelSettings(values: Values['channels'][string], directory: string): ChannelSettings {
  const ca = values.type === 'email' && values.ca !== undefined ? { ca: resolve(directory, values.ca) } : {};
  return { ...values, ...ca, timeout: parseDuration(values.timeout)! } as ChannelSettings;
}

export function deadManSettings({ url, every, allowPrivate }: NonNullable<Values['deadMan']>): DeadManSettings {
  return { url, allowPrivate, every: parseDuration(every)! };
}

function routeOf(values: Values['routes'][number]): AlertRoute {
  const { severity, apps, rules, hours, timezone, channels, escalateAfter, escalateTo } = values;
  const escalate =
    escalateAfter === undefined || escalateTo === undefined
      ? undefined
      : { after: parseDuration(escalateAfter)!, to: escalateTo };
  return {
    ...given('severity', severity),
    ...given('apps', apps),
    ...given('rules', rules),
    ...given('hours', hours === undefined ? undefined : parseHours(hours)),
    ...given('escalate', escalate),
    ...{ timezone: timezone ?? 'UTC', channels },
  };
}

function inMs(rule: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ms = (value: unknown) => (typeof value === 'string' ? parseDuration(value) : value);
  return { ...rule, after: ms(rule.after), least: ms(rule.least) };
}
