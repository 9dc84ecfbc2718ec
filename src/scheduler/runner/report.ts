/** What a command says, as steps, log lines, progress and outcome. Takes the JSON Lines of `--json`; anything else it prints is log, too. */
import { given } from '../../base/given.ts';
import { parseJsonObject } from '../../base/json-object.ts';
import type { LogLevel, NewLine, RunReport, RunStep } from '../../catalog/run-log.ts';
import type { RunError } from '../../catalog/runs.ts';

/** Lines of one run that are kept; of those beyond, only how many there were. */
const MOST_LINES = 20_000;
const LONGEST_OUTCOME = 256 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export class Report {
  readonly #steps = new Map<string, RunStep>();
  #nextStep = 1;
  #changed = new Map<number, RunStep>();
  #lines: NewLine[] = [];
  #taken = 0;
  #dropped = 0;
  #progress: Fields | undefined;
  /** The summary, when there was one. */
  outcome: Fields | undefined;
  /** What the command itself said about its failure. */
  error: RunError | undefined;

  /** Whether there is something that was not handed out yet. */
  get isDirty(): boolean {
    return this.#changed.size > 0 || this.#lines.length > 0 || this.#progress !== undefined;
  }

  line(from: 'output' | 'errors', text: string, at: number): void {
    if (text.trim() === '') return;
    const said = parsed(text);
    if (said === undefined) this.log(from === 'errors' ? 'error' : 'info', text, at);
    else this.#said(said, at);
  }

  #said({ message_type: type, ...fields }: Fields, at: number): void {
    if (type === 'summary') this.outcome = bounded(fields);
    else if (type === 'exit_error') this.#failed(fields, at);
    else if (type !== 'status') this.#remark(fields, at);
    else if (fields.state === 'note') this.log('info', String(fields.message ?? ''), at);
    else this.#status(fields, at);
  }

  log(level: LogLevel, message: string, at: number, data?: Fields): void {
    this.#taken += 1;
    if (this.#taken > MOST_LINES) this.#dropped += 1;
    else this.#lines.push({ at, level, message, ...given('data', data) });
  }

  /** Nothing more comes: steps that had no end get one. */
  end(at: number): void {
    for (const step of this.#steps.values())
      if (step.state === 'running') this.#save({ ...step, state: 'failed', finishedAt: at });
    if (this.#dropped > 0)
      this.#lines.push({ at, level: 'warning', message: `${this.#dropped} more lines were not kept.` });
    this.#dropped = 0;
  }

  /** What is new since the last call. */
  take(): RunReport {
    const progress = this.#progress;
    const report = { steps: [...this.#changed.values()], lines: this.#lines, ...given('progress', progress) };
    this.#changed = new Map();
    this.#lines = [];
    this.#progress = undefined;
    return report;
  }

  /** What could not be written down after all. */
  giveBack({ steps = [], lines = [], progress }: RunReport): void {
    for (const step of steps) if (!this.#changed.has(step.seq)) this.#changed.set(step.seq, step);
    this.#lines = [...lines, ...this.#lines];
    this.#progress ??= progress;
  }

  #status(fields: Fields, at: number): void {
    const { step: name, title, state } = fields;
    if (typeof name !== 'string') return;
    const known = this.#steps.get(name);
    const again = known === undefined || (state === 'started' && known.state !== 'running');
    const ended = state === 'done' || state === 'failed' || state === 'skipped';
    this.#save({
      seq: again ? this.#nextStep++ : known.seq,
      step: name,
      title: typeof title === 'string' ? title : name,
      state: ended ? state : 'running',
      startedAt: again ? at : known.startedAt,
      ...given('finishedAt', ended ? at : undefined),
      ...given('bytes', number(fields.bytes_done)),
      ...given('items', number(fields.items_done)),
      ...given('totalBytes', number(fields.total_bytes)),
      ...given('totalItems', number(fields.total_items)),
      ...given('message', typeof fields.message === 'string' ? fields.message : undefined),
    });
    const { message: _message, ...progress } = fields;
    this.#progress = progress;
  }

  #save(step: RunStep): void {
    this.#steps.set(step.step, step);
    this.#changed.set(step.seq, step);
  }

  #failed(fields: Fields, at: number): void {
    const { error, message, hint } = fields;
    this.error = {
      code: typeof error === 'string' ? error : 'internal',
      message: String(message ?? ''),
      ...given('hint', typeof hint === 'string' ? hint : undefined),
    };
    this.log('error', this.error.message, at, fields);
  }

  #remark({ message, severity, ...data }: Fields, at: number): void {
    const level = severity === 'warning' ? 'warning' : 'info';
    this.log(level, String(message ?? JSON.stringify(data)), at, Object.keys(data).length === 0 ? undefined : data);
  }
}

/** The object on the line when it is one of ours. */
function parsed(text: string): Fields | undefined {
  const value = text.startsWith('{') ? parseJsonObject(text) : undefined;
  return value !== undefined && 'message_type' in value ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Of a summary that is too long, what is short in it. */
function bounded(fields: Fields): Fields {
  if (JSON.stringify(fields).length <= LONGEST_OUTCOME) return fields;
  const short = Object.entries(fields).filter(([, value]) => JSON.stringify(value).length <= 1_000);
  return { ...Object.fromEntries(short), truncated: true };
}
