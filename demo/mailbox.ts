/** A real mail server on loopback; what arrives is kept. */
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

export class Mailbox implements AsyncDisposable {
  readonly mails: string[] = [];
  readonly #server: SMTPServer;

  private constructor(server: (mails: string[]) => SMTPServer) {
    this.#server = server(this.mails);
  }

  /** `port`: 0 for any that is free. */
  static async open(port: number): Promise<Mailbox> {
    const mailbox = new Mailbox((mails) => receiver(mails));
    await new Promise<void>((resolve, reject) => {
      mailbox.#server.once('error', reject);
      mailbox.#server.listen(port, '127.0.0.1', resolve);
    });
    return mailbox;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** The first mail that fits, waited for up to five minutes. */
  async arrived(fits: RegExp): Promise<string> {
    for (let tries = 0; tries < 3000; tries++) {
      const mail = this.mails.find((each) => fits.test(each));
      if (mail !== undefined) return mail;
      await sleep(100);
    }
    throw new Error(`No mail came that fits ${fits}.`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function receiver(mails: string[]): SMTPServer {
  return new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      text(stream).then((mail) => {
        mails.push(mail);
        done();
      }, done);
    },
  });
}

/** A header of a mail, unfolded. */
export function headerOf(mail: string, name: string): string {
  const [head = ''] = mail.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n\r?\n/);
  const line = head.split(/\r?\n/).find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}: `));
  return line?.slice(name.length + 2) ?? '';
}
