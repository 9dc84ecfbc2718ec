/** The last act: the service runs, a scheduled backup happens while a storage is dead, mail tells of it, it comes back, mail tells of that. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from './background.ts';
import type { Commands } from './commands.ts';
import { headerOf, Mailbox } from './mailbox.ts';
import type { Narrator } from './narrate.ts';
import type { Stage } from './stage.ts';

interface Run {
  readonly kind: string;
  readonly state: string;
  readonly trigger: string;
}

export class ServiceAct implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #holdfast: Commands;
  readonly #narrator: Narrator;
  readonly #parts = new AsyncDisposableStack();
  #token = '';

  constructor(stage: Stage, holdfast: Commands, narrator: Narrator) {
    this.#stage = stage;
    this.#holdfast = holdfast;
    this.#narrator = narrator;
  }

  /** The service without anybody who carries runs out: what comes due waits. */
  async begin(): Promise<void> {
    const { config, serviceLog } = this.#stage;
    this.#token = await this.#holdfast.output(['token', 'create', 'demonstration', '--role', 'operator']);
    await writeFile(this.#stage.token, this.#token, { mode: 0o600 });
    this.#narrator.command('holdfast serve --no-worker &');
    this.#parts.use(new Background(config, ['serve', '--no-worker'], serviceLog));
  }

  async play(): Promise<void> {
    const { config, serviceLog, ports } = this.#stage;
    this.#narrator.act(
      'Leave it running',
      'The service starts what is due, by its schedule. Nobody looks, and storage "nas" dies.',
    );
    const mailbox = this.#parts.use(await Mailbox.open(ports.mail));
    const nas = this.#stage.storage('nas');
    await rename(nas, `${nas}-unplugged`);
    await writeFile(nas, '');
    this.#narrator.say('storage "nas" cannot be used any more');
    this.#narrator.command('holdfast worker &');
    this.#parts.use(new Background(config, ['worker'], serviceLog));
    const backup = await this.#scheduledBackup();
    this.#narrator.check(
      backup.state === 'partial',
      `a scheduled backup happened, with two copies of three: ${backup.state}`,
    );
    this.#tell(await mailbox.arrived(/^X-Holdfast-Event: fire/im));

    await rm(nas);
    await rename(`${nas}-unplugged`, nas);
    this.#narrator.say('"nas" is plugged in again');
    await this.#holdfast.run(['--server', this.#url, '--token-file', this.#stage.token, 'sync']);
    await this.#holdfast.run(['--server', this.#url, '--token-file', this.#stage.token, 'backup', '--quiet']);
    this.#tell(await mailbox.arrived(/^X-Holdfast-Event: resolve/im));
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#stage.ports.server}`;
  }

  #tell(mail: string): void {
    // The subject stays the same, so that mail programs keep the thread together; the first line says what is new.
    const news = /^\[[A-Z, ]+\] .+$/m.exec(mail)?.[0].trim();
    this.#narrator.say(`a mail for ${headerOf(mail, 'To')}: ${news ?? headerOf(mail, 'Subject')}`);
  }

  /** It is due at the next full minute. */
  async #scheduledBackup(): Promise<Run> {
    for (let tries = 0; tries < 600; tries++) {
      const ended = (await this.#runs()).find(
        ({ kind, state, trigger }) =>
          kind === 'backup' && trigger === 'schedule' && /succeeded|partial|failed/.test(state),
      );
      if (ended !== undefined) return ended;
      this.#narrator.live('waiting for the minute at which the backup is due');
      await sleep(250);
    }
    throw new Error(`No scheduled backup happened; see ${this.#stage.serviceLog}.`);
  }

  async #runs(): Promise<readonly Run[]> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#url}/api/v1/runs?kind=backup&limit=50`, { headers }).catch(() => undefined);
    if (answer?.ok !== true) return [];
    return ((await answer.json()) as { readonly items: readonly Run[] }).items;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}
