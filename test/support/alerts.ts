/** Policies of alerts as a configuration file makes them. */

import { writeFile } from 'node:fs/promises';
import type { AlertPolicy } from '../../src/config/alert-settings.ts';
import { type Configuration, loadConfiguration } from '../../src/config/configuration.ts';
import { tempDir } from './temp.ts';

/** `alerts`: what stands below that key, indented by two spaces. */
export async function configurationWith(alerts: string, more = ''): Promise<Configuration> {
  await using directory = await tempDir();
  const file = directory.join('holdfast.yaml');
  await writeFile(
    file,
    `version: 1
repository: { password: { env: PASSWORD } }
storages: { local: { type: local, path: ./repo } }
apps:
  clinic: { objectives: { rpo: 1h, rto: 1h }, sources: { media: { type: files, path: ./media } } }
${more}
alerts:${alerts}
`,
  );
  return await loadConfiguration({ path: file, cwd: directory.path, env: { PASSWORD: 'test' } });
}

export async function policyOf(alerts = ' {}'): Promise<AlertPolicy> {
  return await (await configurationWith(alerts)).alerts();
}
