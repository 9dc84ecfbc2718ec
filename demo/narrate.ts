/** What the demonstration says: acts with the time they took, the commands it runs, one live line for what takes long. */
import { formatDuration } from '../src/base/durations.ts';

export interface Narrator {
  /** Begins an act: its number, its title, one sentence about what happens. */
  act(title: string, explanation: string): void;
  /** A fact, as an indented line. */
  say(line: string): void;
  /** A command line that is run next. */
  command(line: string): void;
  /** A fact that was checked. */
  check(holds: boolean, line: string): void;
  /** Replaces the live line on a terminal; elsewhere nothing. The next other line takes its place. */
  live(line: string): void;
  /** Ends the last act. */
  end(): void;
}

/** Writes for people to `output`; `now` is a monotonic clock in milliseconds. */
export function narrator(output: NodeJS.WriteStream, colours: boolean, now: () => number): Narrator {
  const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  let acts = 0;
  let began = now();
  let liveLine = false;
  const write = (line: string) => {
    output.write(`${liveLine ? '\r\u001b[K' : ''}${line}\n`);
    liveLine = false;
  };
  const end = () => {
    if (acts > 0) write(paint(2, `  (${formatDuration(now() - began)})`));
    began = now();
  };
  return {
    act: (title, explanation) => {
      end();
      acts++;
      write(`\n${paint(1, `${acts}. ${title}`)}\n  ${explanation}`);
    },
    say: (line) => write(`  ${line}`),
    command: (line) => write(`  ${paint(36, `$ ${line}`)}`),
    check: (holds, line) => write(`  ${holds ? paint(32, '✔') : paint(31, '✖')} ${line}`),
    live: (line) => {
      if (!output.isTTY) return;
      output.write(`\r\u001b[K  ${line.slice(0, (output.columns || 80) - 3)}`);
      liveLine = true;
    },
    end,
  };
}
