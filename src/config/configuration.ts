/** The configuration file: found, read, checked. */
export interface Configuration {
  readonly file: string;
}
export async function loadConfiguration(_options: {
  readonly path?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): Promise<Configuration> {
  throw new Error('soon');
}
