/**
 * Names below "localhost" lead to this machine, in the process that imports this: RFC 6761 asks it of resolvers, and not every machine has
 * one that does. For a program that a test starts: `env: LOOPBACK_NAMES`.
 */
import dns from 'node:dns';

const real = dns.lookup as (name: string, ...rest: readonly unknown[]) => void;

dns.lookup = ((name: string, ...rest: readonly unknown[]) =>
  real(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)) as typeof dns.lookup;

export const LOOPBACK_NAMES = { NODE_OPTIONS: `--import=${import.meta.url}` };
