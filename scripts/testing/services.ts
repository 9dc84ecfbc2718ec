/** Services that several test files share are started once here; their addresses reach the tests through the environment. */
export interface Services {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startServices(_directory: string, _say: (line: string) => void): Promise<Services> {
  return { env: {}, stop: async () => {} };
}
