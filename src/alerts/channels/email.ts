/** E-mail: text and HTML, one thread for each alert. */
import { readFile } from 'node:fs/promises';
import type { SendMailOptions } from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js';
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Notice } from '../notice.ts';
import { headline, page, subject } from '../words.ts';
import type { ChannelWorld, Send } from './channel.ts';
import { htmlPage } from './html.ts';

type EmailSettings = Extract<ChannelSettings, { type: 'email' }>;

/** Everything together may take so many times what one answer may. */
const PATIENCE = 3;

export function email(settings: EmailSettings): Send {
  return async ({ id, content }, world) => {
    if (content.event === 'ping') return 'nothing to tell';
    const { createTransport } = await import('nodemailer'); // with the first mail: a service without mail starts without it
    const transport = createTransport(await transportOptions(settings));
    const late = AbortSignal.timeout(settings.timeout * PATIENCE);
    const over = AbortSignal.any([world.signal, late]);
    const cut = () => transport.close();
    over.addEventListener('abort', cut, { once: true });
    try {
      const sent = await untilAborted(transport.sendMail(mailOf(settings, id, content)), over);
      return answerOf(sent);
    } catch (error) {
      throw complaint(error, settings, { world, late });
    } finally {
      over.removeEventListener('abort', cut);
      transport.close();
    }
  };
}

async function transportOptions(settings: EmailSettings): Promise<SMTPTransport.Options> {
  const { host, port, security, username, password, timeout, ca } = settings;
  return {
    ...{ host, port, secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
    ...{ connectionTimeout: timeout, greetingTimeout: timeout, socketTimeout: timeout, dnsTimeout: timeout },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    ...(ca === undefined ? {} : { tls: { ca: await readFile(ca) } }),
  };
}

/** The same bytes at every attempt, apart from what the mail server adds. */
function mailOf({ from, to }: EmailSettings, id: string, notice: Notice): SendMailOptions {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'holdfast.invalid';
  const { alert, event } = notice;
  const root = alert === undefined ? undefined : `<alert.${alert.id}@${domain}>`;
  const isRoot = root !== undefined && event === 'fire';
  return {
    ...{ from, to: [...to], date: new Date(notice.at), messageId: isRoot ? root : `<${id}@${domain}>` },
    ...(root === undefined || isRoot ? {} : { inReplyTo: root, references: [root] }),
    // one subject for the whole incident, as threads want it; what happened stands first in the text
    subject: alert === undefined ? headline(notice) : `[${alert.severity}] ${subject(alert)}`,
    ...{ text: `${headline(notice)}\n\n${page(notice)}\n`, html: htmlPage(notice), baseBoundary: id },
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Holdfast-Event': event },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  } as SendMailOptions;
}

/** nodemailer takes no signal; when its transport is closed it may never answer. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    work.catch(() => {}); // it may end after we did
    signal.removeEventListener('abort', stop);
  }
}

function answerOf({ response, accepted, rejected }: SMTPTransport.SentMessageInfo): string {
  const refused =
    rejected.length === 0 ? '' : `; refused for ${rejected.length} of ${accepted.length + rejected.length}`;
  return printable(`${response}${refused}`.slice(0, 200));
}

function complaint(
  error: unknown,
  { host, port, timeout, password }: EmailSettings,
  { world, late }: { readonly world: ChannelWorld; readonly late: AbortSignal },
): unknown {
  if (world.signal.aborted) return world.signal.reason;
  const place = `${host}:${port}`;
  if (late.aborted)
    return new Failure('channel_failed', `${place} did not take the message within ${(timeout * PATIENCE) / 1000} s.`);
  const { message = '', responseCode = 0 } = error as Error & { responseCode?: number };
  const told = printable(message.replace(/\s+/g, ' ').slice(0, 300));
  const clean = password !== undefined && password.length >= 4 ? told.replaceAll(password, '********') : told;
  return new Failure(responseCode >= 500 ? 'channel_refused' : 'channel_failed', `${place}: ${clean}`);
}
