/** This process, as locks and snapshots name it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { isAlive } from '../base/process-alive.ts';
import type { Holder } from '../repository/locks.ts';

export function thisProcess(): Holder {
  return { hostname: hostname(), username: username(), pid: process.pid, system: systemIdentity(), isAlive };
}

/** A user without an entry in the password file has no name, only a number. */
function username(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

/** The running boot and the process namespace: a process id means something only within both. */
function systemIdentity(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
