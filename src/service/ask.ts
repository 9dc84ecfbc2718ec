/** Asks a command of its own for a document: what only that process needs to know (passwords, the whole state of storages) stays there. */
import { execFile } from 'node:child_process';
import { Failure } from '../base/failure.ts';
import { type JsonObject, parseJsonObject } from '../base/json-object.ts';
import type { ServiceWorld } from './world.ts';

const MAX_ANSWER = 64 * 1024 * 1024;
const TIMEOUT_MS = 5 * 60_000;

/** What the command printed with `--json`: its one document, or the summary after its other lines. Throws what it failed with; `details.code` is its own code. */
export function ask(
  { build, env, configuration, signal }: ServiceWorld,
  words: readonly string[],
): Promise<JsonObject> {
  const { file, directory } = configuration.current;
  const options = { cwd: directory, env, signal, timeout: TIMEOUT_MS, maxBuffer: MAX_ANSWER };
  return new Promise((resolve, reject) => {
    execFile(build.program, [...words, '--json', '--config', file], options, (error, stdout, stderr) => {
      if (error === null) {
        const document = parseJsonObject(stdout) ?? lastLine(stdout);
        if (document !== undefined) return resolve(document);
        return reject(new Failure('internal', `"${words.join(' ')}" printed no document.`));
      }
      const said = lastLine(stderr);
      const message = typeof said?.message === 'string' ? said.message : error.message;
      reject(new Failure('internal', message, { cause: error, details: { code: said?.error ?? 'internal' } }));
    });
  });
}

function lastLine(text: string): JsonObject | undefined {
  return parseJsonObject(text.trim().split('\n').at(-1) ?? '');
}
