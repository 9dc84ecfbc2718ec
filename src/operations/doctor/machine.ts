/** Programs beside ours that make more possible. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { type DoctorFinding, good, remark } from '../doctor-finding.ts';
import type { DoctorInput } from './input.ts';

const PROGRAMS = [
  {
    name: 'restic',
    why: 'opens every repository without Holdfast: good to have where you would restore',
    debian: 'restic',
  },
  { name: 'getfattr', why: 'keeps extended attributes of files', debian: 'attr' },
] as const;

export function machineFindings({ path }: DoctorInput): DoctorFinding[] {
  return PROGRAMS.map(({ name, why, debian }) =>
    path.some((directory) => isProgram(join(directory, name)))
      ? good('this machine', `${name} is installed`)
      : remark('this machine', `${name} is not installed; it ${why}.`, `apt-get install ${debian}`),
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
