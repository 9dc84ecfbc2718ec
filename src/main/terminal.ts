/** Questions to the person at the terminal: asked on standard error, so that standard output stays what a program may read. */
import { createInterface } from 'node:readline/promises';
import type { Terminal } from '../cli/context.ts';

/** Undefined where nobody can answer. */
export function terminalOf(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Terminal | undefined {
  if (!input.isTTY) return undefined;
  return {
    ask: async (question, signal) => {
      const lines = createInterface({ input, output });
      try {
        return await lines.question(question, { signal });
      } finally {
        lines.close();
      }
    },
  };
}
