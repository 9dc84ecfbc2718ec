/** Whether each source can be read whole. */
import { access, constants, opendir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { SourceSettings } from '../../config/settings.ts';
import { diagnose } from '../../postgres/diagnose.ts';
import { type DoctorFinding, failed, good, problem } from '../doctor-finding.ts';
import { archiveFindings } from './archive.ts';
import type { DoctorInput } from './input.ts';

export async function sourceFindings(input: DoctorInput): Promise<DoctorFinding[]> {
  const { sources, signal } = input;
  const findings: DoctorFinding[] = [];
  for (const entry of sources) {
    const about = `source ${entry.name} of ${entry.app}`;
    try {
      if ('error' in entry) findings.push(failed(about, entry.error));
      else findings.push(...(await lookAt(about, entry.value, entry, input)));
    } catch (error) {
      signal.throwIfAborted();
      findings.push(failed(about, error));
    }
  }
  return findings;
}

async function lookAt(
  about: string,
  source: SourceSettings,
  { app, queried }: { readonly app: string; readonly queried: boolean },
  { programs, signal }: DoctorInput,
): Promise<DoctorFinding[]> {
  switch (source.type) {
    case 'postgres': {
      const found = await diagnose(source.url, { signal, logicalReads: queried });
      const findings = found.map(({ severity, what, mend }) => ({ severity, about, what, mend }));
      if (found.some(({ severity }) => severity === 'problem')) return findings;
      const archive = await archiveFindings({ about, app, source, programs, signal });
      return [good(about, 'the server can be backed up'), ...findings, ...archive];
    }
    case 'files':
      return [await directory(about, source.path)];
    case 'config':
      return Promise.all(
        source.paths
          .filter((path) => !/[*?[{]/.test(path))
          .map((path) => file(about, isAbsolute(path) ? path : join(source.base, path))),
      );
  }
}

async function directory(about: string, path: string): Promise<DoctorFinding> {
  try {
    await (await opendir(path)).close();
    return good(about, `${path} can be read`);
  } catch (error) {
    return problem(
      about,
      `${path} cannot be listed: ${(error as Error).message}.`,
      'Mend the path in the configuration, or let this user read it.',
    );
  }
}

async function file(about: string, path: string): Promise<DoctorFinding> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) return await directory(about, path);
    return good(about, `${path} can be read`);
  } catch (error) {
    return problem(
      about,
      `${path} cannot be read: ${(error as Error).message}.`,
      'Mend the path in the configuration, or let this user read it.',
    );
  }
}
