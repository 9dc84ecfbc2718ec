/** A real SMTP receiver on loopback that keeps what arrives. */

import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

export interface Mailbox extends AsyncDisposable {
  readonly port: number;
  /** Whole messages as they arrived, oldest first. */
  readonly mails: readonly string[];
  /** The first message that `fits`, waited for up to a minute. */
  arrived(fits: RegExp): Promise<string>;
}

export async function openMailbox(): Promise<Mailbox> {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      text(stream).then((mail) => {
        mails.push(mail);
        done();
      }, done);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    arrived: async (fits) => {
      for (let tries = 0; tries < 600; tries++) {
        const mail = mails.find((each) => fits.test(each));
        if (mail !== undefined) return mail;
        await sleep(100);
      }
      throw new Error(`no mail like ${fits}; there are:\n${mails.join('\n---\n')}`);
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
